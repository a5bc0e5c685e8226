"""The dashboard of an installed package as a server: its pages, and the routes beside them."""

import streamlit as st

from decam import web
from decam.ui import nav

routes = web.routes(st.get_option("server.baseUrlPath"), nav.PAGES[0].address)
app = st.App(nav.SCRIPT, routes=routes, lifespan=web.lifespan)
