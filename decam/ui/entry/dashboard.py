"""What Streamlit runs for every visit, alone with its server in a folder that Streamlit puts on sys.path."""

from decam.ui import nav

nav.run()
