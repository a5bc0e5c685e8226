"""The benchmark of conversions: two processes are timed, and their answers compared."""

from __future__ import annotations

import pytest

from benchmarks import conversions
from benchmarks.conversions import First, compared, first, main
from decam.classifier.engines import openvino_engine
from decam.errors import ModelError

pytestmark = pytest.mark.skipif(not openvino_engine.version(), reason="OpenVINO is not made for this platform")


def test_times_are_medians_over_rounds_and_gains_their_ratios(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = iter([(First(4.0, "a"), First(1.0, "a")), (First(6.0, "a"), First(1.0, "a"))])
    monkeypatch.setattr(conversions, "both", lambda _name: next(rounds))
    assert compared("net", 2) == "| net | 5.00 (4.00 to 6.00) | 1.00 (1.00 to 1.00) | 5.0 (4.0 to 6.0) | yes |"


def test_other_bits_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversions, "both", lambda _name: (First(4.0, "a"), First(1.0, "b")))
    assert compared("net", 1).endswith("| no |")


def test_a_model_that_openvino_cannot_answer_for_has_no_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(openvino_engine, "version", lambda: "")
    with pytest.raises(ModelError, match="OpenVINO cannot answer"):
        first("embedded", str(tmp_path_factory.mktemp("data")))


@pytest.mark.slow
def test_the_second_process_reads_what_the_first_has_kept(capsys: pytest.CaptureFixture[str]) -> None:
    main(["embedded", "--rounds", "1"])
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("| embedded |")
    assert line.endswith("| yes |")
    assert float(line.split("|")[4].split()[0]) > 0
