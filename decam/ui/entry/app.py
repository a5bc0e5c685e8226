"""The dashboard from an installed package; alone in its folder, for Streamlit puts a script's folder on sys.path."""

from decam.ui import nav

nav.run()
