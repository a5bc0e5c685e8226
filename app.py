"""The dashboard of a checkout as a server, for `streamlit run app.py`: the pages, and the routes beside them."""

from pathlib import Path

import streamlit as st

from decam import web
from decam.ui import nav

nav.draw_from(Path(__file__).with_name("pages"))
routes = web.routes(st.get_option("server.baseUrlPath"), nav.PAGES[0].address)
app = st.App(nav.SCRIPT, routes=routes, lifespan=web.lifespan)
