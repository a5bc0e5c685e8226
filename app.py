"""The dashboard of a checkout as a server, for `streamlit run app.py`: the pages, and the routes beside them."""

from pathlib import Path

import streamlit as st

from decam import web
from decam.ui import nav

nav.draw_from(Path(__file__).with_name("pages"))
base = st.get_option("server.baseUrlPath")
routes = web.routes(base, nav.PAGES[0].address)
around = web.lifespan(nav.prepare)
app = st.App(nav.SCRIPT, routes=routes, middleware=web.middleware(base, nav.FOR_ACCOUNTS), lifespan=around)
