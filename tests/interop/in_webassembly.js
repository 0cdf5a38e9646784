// node in_webassembly.js FOLDER SCRIPT: a Python without sockets, threads and processes runs SCRIPT with the modules in
// FOLDER.
const path = require("path");
const { loadPyodide } = require("pyodide");

async function main(folder, script) {
  const python = await loadPyodide();
  const { FS } = python;
  for (const [inside, outside] of [["/modules", folder], ["/script", path.dirname(script)]]) {
    FS.mkdirTree(inside);
    FS.mount(FS.filesystems.NODEFS, { root: outside }, inside);
  }
  python.globals.set("name", path.basename(script));
  python.runPython(`
    import runpy, sys

    sys.dont_write_bytecode = True
    sys.path.insert(0, "/modules")
    runpy.run_path("/script/" + name, run_name="__main__")
  `);
}

main(process.argv[2], process.argv[3]).catch((error) => {
  console.error(String(error.message).slice(-4000));
  process.exit(1);
});
