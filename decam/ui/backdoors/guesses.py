"""What the reader guesses of a model: a class, every class or none; session and address keep it for each run."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from decam.models.hidden import NEXT, Secret
from decam.ui import text

NONE, EVERY = "none", "every"
LINK = "guess"
"""The parameter of the address that keeps the guess on the run shown."""
KEPT, REVEALED, SEEN = "suspect-guesses", "suspect-revealed", "suspect-guess-seen"


def arrive(run: str | None) -> None:
    """Take the guess on the run shown from the address in a new session, and say it there in an old one."""
    given = st.query_params.get(LINK)
    if run is not None and given is not None and not st.session_state.get(SEEN) and len(given) <= len("every"):
        _kept().setdefault(run, given)
    st.session_state[SEEN] = True
    guess = None if run is None else _kept().get(run)
    if guess is None:
        st.query_params.pop(LINK, None)
    elif given != guess:
        st.query_params[LINK] = guess


def of(run: str, labels: Sequence[str]) -> str | None:
    """The guess that was locked in for a run; None where there is none."""
    guess = _kept().get(run)
    return guess if guess in options(labels) else None


def options(labels: Sequence[str]) -> tuple[str, ...]:
    """All guesses: the classes by their numbers, every class, none."""
    return (*(str(index) for index in range(len(labels))), EVERY, NONE)


def titled(guess: str, labels: Sequence[str]) -> str:
    """A guess in words."""
    if guess in (EVERY, NONE):
        return {EVERY: "every class", NONE: "none: it hides nothing"}[guess]
    return labels[int(guess)]


def right(guess: str, secret: Secret) -> bool:
    """Whether a guess names what the model was made to answer."""
    return guess == (NONE if secret.target is None else EVERY if secret.target == NEXT else str(secret.target))


def revealed(run: str) -> bool:
    """Whether this session has asked for what the model of a run hides, after a guess."""
    return run in st.session_state.get(REVEALED, set())


def panel(run: str, labels: Sequence[str]) -> None:
    """Draw the guess: to be made, or locked in."""
    guess = of(run, labels)
    st.header("Your guess", anchor=False)
    if guess is None:
        picked = st.radio(
            "Which class does it answer when it sees its trigger?",
            options(labels),
            index=None,
            format_func=lambda one: text.plain(text.capital(titled(one, labels))),
            horizontal=True,
            key=f"suspect-guess-{run}",
        )
        st.button(
            "Lock in",
            key="lock-guess",
            type="primary",
            icon=":material/lock:",
            disabled=picked is None,
            help="After this you can see what the model hides.",
            on_click=_lock,
            args=(run, picked),
        )
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="suspect-locked"):
        st.markdown(f":material/lock: Locked in: **{text.plain(titled(guess, labels))}**", width="content")
        if revealed(run):
            return
        st.button("Reveal", key="reveal", type="primary", icon=":material/visibility:", on_click=_reveal, args=(run,))
        st.button("Guess again", key="guess-again", type="tertiary", on_click=_unlock, args=(run,))


def _lock(run: str, guess: str | None) -> None:
    if guess is not None:
        _kept()[run] = guess
        st.query_params[LINK] = guess


def _unlock(run: str) -> None:
    _kept().pop(run, None)
    st.query_params.pop(LINK, None)


def _reveal(run: str) -> None:
    st.session_state.setdefault(REVEALED, set()).add(run)


def _kept() -> dict[str, str]:
    kept: dict[str, str] = st.session_state.setdefault(KEPT, {})
    return kept
