"""The dashboard of an installed package as a server: its pages, and the routes beside them."""

import streamlit as st

from decam import web
from decam.ui import nav

base = st.get_option("server.baseUrlPath")
routes = web.routes(base, nav.PAGES[0].address)
around = web.lifespan(nav.prepare)
app = st.App(nav.SCRIPT, routes=routes, middleware=web.middleware(base, nav.FOR_ACCOUNTS), lifespan=around)
