"""Settings of the documentation; `make docs` builds it offline, and warnings are errors."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent / "src")]
# Steps of tiny models on two threads of a busy machine are many times slower than on one.
os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# What Lightning says of GPUs and of itself is not part of an example.
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", module="lightning")

project = "quantleak"
author = copyright = "The quantleak developers"
language = "en"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "sphinx_copybutton",
    "mathml",
    "room",
    "studies",
    "verbs",
]
exclude_patterns = [
    "_build",
    "_ext",
    "gallery/*.py",
    "gallery/*.ipynb",
    "gallery/*.md5",
    "**/sg_execution_times.rst",
    "studies/**/*.json",
]
# Papers may be listed without being cited from a docstring.
suppress_warnings = ["ref.citation"]

# Docstrings: Markdown's single backticks mean code.
default_role = "code"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
python_maximum_signature_line_length = 100
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "quantleak"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["gallery.css"]
html_show_sphinx = False
html_copy_source = False
copybutton_prompt_text = "$ "

sphinx_gallery_conf = {
    "examples_dirs": str(HERE.parent / "examples" / "gallery"),
    "gallery_dirs": "gallery",
    "image_scrapers": (),
    "reset_modules": (),
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "within_subsection_order": "FileNameSortKey",
    "capture_repr": ("_repr_html_", "__str__"),
    "min_reported_time": 1e9,
    "write_computation_times": False,
}
