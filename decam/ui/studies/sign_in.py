"""Who may use the page on studies: whoever has the password or an account, or sits at this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAuthError

from decam.errors import DecamError
from decam.studies.passwords import Gate
from decam.ui import text
from decam.ui.studies.visitors import is_local

SIGNED_IN = "studies-signed-in"
TYPED = "studies-password"
# How Streamlit calls the provider that has no section of its own.
DEFAULT = "default"
HOW = (
    "To use them from elsewhere, run `python -m decam study password` on the server and put the two lines it prints "
    "into `.streamlit/secrets.toml`. Or configure `[auth]` there for Streamlit's sign-in with an account, and list who "
    'may come in: `people = ["you@example.org"]` under `[studies]`.'
)


@dataclass(frozen=True)
class Access:
    """Somebody who may use the page. `owner` is whose studies are shown, None for all; `name` is how to show it."""

    owner: str | None
    name: str


@dataclass(frozen=True)
class Ways:
    """How one can sign in here, by the secrets: the password's hash, the providers of accounts, and whose come in."""

    password: str = ""
    providers: tuple[str, ...] = ()
    people: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """True if there is a way to sign in."""
        return bool(self.password or self.providers)


@st.cache_resource(show_spinner=False)
def gate() -> Gate:
    """Where all sessions of this process try passwords."""
    return Gate()


def allowed() -> Access | None:
    """Whoever may use the page; None, with the way to sign in, for anybody else."""
    ways = ways_in()
    if not ways.any:
        if is_local(*connection()):
            return Access(None, "")
        st.info("No sign-in is configured, so studies can be used only on the server itself, at localhost. " + HOW)
        return None
    access = _by_account(ways) or _by_password(ways)
    if access is None:
        _ask(ways)
    return access


def connection() -> tuple[str | None, dict[str, str]]:
    """Where the visitor's connection comes from, None for this machine itself, and the headers it came with."""
    return st.context.ip_address, dict(st.context.headers)


def leave() -> None:
    """Sign out; for a button."""
    st.session_state.pop(SIGNED_IN, None)
    if ways_in().providers and st.user.is_logged_in:
        st.logout()


def ways_in() -> Ways:
    """What the secrets say; nothing where there are none."""
    if not st.secrets.load_if_toml_exists():
        return Ways()
    studies: Mapping[str, Any] = st.secrets.get("studies", {})
    providers = _providers(st.secrets["auth"]) if "auth" in st.secrets else ()
    people = studies.get("people", ())
    listed = (people,) if isinstance(people, str) else tuple(str(one) for one in people)
    return Ways(str(studies.get("password", "")).strip(), providers, listed)


def _providers(auth: Mapping[str, Any]) -> tuple[str, ...]:
    """Those with a section of their own, and the one that stands in `[auth]` itself."""
    named = tuple(name for name, settings in auth.items() if isinstance(settings, Mapping) and "client_id" in settings)
    return (DEFAULT, *named) if "client_id" in auth or not named else named


def admitted(claims: Mapping[str, Any], people: tuple[str, ...]) -> str:
    """The address of a signed-in account that is on the list, or whose domain is ("@example.org"); else empty."""
    address = str(claims.get("email") or "").strip().lower()
    name, _, domain = address.rpartition("@")
    if not name or claims.get("email_verified") in (False, "false"):
        return ""
    listed = {one.strip().lower() for one in people}
    return address if address in listed or f"@{domain}" in listed else ""


def _by_account(ways: Ways) -> Access | None:
    if not ways.providers or not st.user.is_logged_in:
        return None
    address = admitted(st.user.to_dict(), ways.people)
    return Access(address, address) if address else None


def _by_password(ways: Ways) -> Access | None:
    # A changed password signs everybody out.
    return Access(None, "") if ways.password and st.session_state.get(SIGNED_IN) == _mark(ways.password) else None


def _mark(stored: str) -> str:
    return hashlib.sha256(stored.encode()).hexdigest()


def _ask(ways: Ways) -> None:
    with st.container(key="studies-sign-in", width=440):
        st.header("Sign in to studies")
        if ways.password:
            with st.form("studies-sign-in-form", border=False):
                st.text_input("Password", type="password", key=TYPED, autocomplete="current-password")
                st.form_submit_button(
                    "Sign in", type="primary", key="studies-enter", on_click=_try, args=(ways.password,)
                )
            st.caption("You stay signed in until this tab is closed or loaded again.")
        if ways.providers:
            _accounts(ways)


def _accounts(ways: Ways) -> None:
    if st.user.is_logged_in:
        known = str(st.user.to_dict().get("email") or "This account")
        reason = "is not on the list of people" if ways.people else "cannot come in, because nobody is listed yet"
        st.warning(text.plain(f"{known} {reason}. Add it to people under [studies] in the server's secrets."))
        st.button("Use another account", on_click=st.logout, key="studies-other-account")
    else:
        for provider in ways.providers:
            whose = "an account" if provider == DEFAULT else f"an account of {text.plain(provider)}"
            st.button(f"Sign in with {whose}", on_click=_go, args=(provider,), key=f"studies-account-{provider}")


def _go(provider: str) -> None:
    """Go to a provider of accounts; what is wrong in its part of the secrets is said."""
    try:
        st.login(provider)
    except StreamlitAuthError as error:
        st.session_state["problem"] = " ".join(str(error).split())


def _try(stored: str) -> None:
    """Try what was typed; it is forgotten at once."""
    typed = str(st.session_state.get(TYPED, ""))
    st.session_state[TYPED] = ""
    try:
        if gate().opens(typed, stored):
            st.session_state[SIGNED_IN] = _mark(stored)
        else:
            st.session_state["problem"] = "This is not the password."
    except DecamError as error:
        st.session_state["problem"] = str(error)
