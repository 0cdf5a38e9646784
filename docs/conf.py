"""How the docs are built: ``sphinx-build -n -W --keep-going docs docs/_build``."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "smtpcore"
author = "smtpcore contributors"
project_copyright = "2026, smtpcore contributors"
release = metadata.version("smtpcore")
version = release.rpartition(".")[0]

extensions = ["myst_parser", "sphinx.ext.autodoc", "smtpcore_docs"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "_ext"]
nitpicky = True
# Imported for type checkers alone, so that only who converts a message loads it.
nitpick_ignore = [("py:class", "EmailMessage")]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"ignore-module-all": False}
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 100
add_module_names = False

html_theme = "furo"
html_title = f"smtpcore {release}"
