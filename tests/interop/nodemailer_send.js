// node nodemailer_send.js JOB: JOB is a file of JSON, see clients.nodemailer(). The message goes as it is.
const fs = require("fs");
const nodemailer = require("nodemailer");

const job = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const transport = nodemailer.createTransport({
  host: "127.0.0.1",
  port: job.port,
  name: job.hostname,
  secure: job.tls === "implicit",
  requireTLS: job.tls === "starttls",
  ignoreTLS: job.tls === "plain",
  tls: { ca: [fs.readFileSync(job.authority)], servername: "localhost" },
  auth: job.auth ? { user: job.user, pass: job.password } : undefined,
  authMethod: job.auth || undefined,
  pool: job.times > 1,
  maxConnections: 1,
  connectionTimeout: 20000,
  socketTimeout: 20000,
});

async function main() {
  for (let i = 0; i < job.times; i++) {
    const info = await transport.sendMail({
      envelope: { from: job.sender, to: job.recipients, use8BitMime: true },
      raw: fs.readFileSync(job.file),
    });
    console.log(info.response);
  }
}

main().then(
  () => transport.close(),
  (error) => {
    console.error(error.responseCode, error.message);
    process.exit(1);
  },
);
