"""The dashboard of an installed package as a server: its pages, and the routes beside them."""

import streamlit as st

from decam import web
from decam.ui import nav

app = st.App(nav.SCRIPT, routes=web.routes(st.get_option("server.baseUrlPath")), lifespan=web.lifespan)
