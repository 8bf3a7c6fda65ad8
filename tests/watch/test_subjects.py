"""What an alert is about keeps telling signers, sessions and servers apart when it is shortened."""

import pytest
from msgspec import structs
from verdicts import verified
from watched import Stage

from mcpwatch.detect.phrases import short
from mcpwatch.model.identity import Signer
from mcpwatch.model.traffic import Binding, SessionKind
from mcpwatch.watch.subjects import only_server, short_subject, with_names

DID = "did:aip:0123456789abcdef0123456789a0bb57"


def about(stage: Stage, subject: str) -> str:
    """The short form of an alert's subject."""
    alert = stage.alert(stage.request().index)
    alert.subject = subject
    return short_subject(alert, stage.state)


@pytest.mark.parametrize(
    ("subject", "short"),
    [
        (f"{DID} at orders", "did:aip:0…0bb57 at orders"),
        (f"m1sI0XSE {DID} at orders", "m1sI0XSE at orders"),
        (f"m1sI0XSE {DID}, unchecked, with aip at orders", "m1sI0XSE, unchecked, with aip at orders"),
        ("read_file at files", "read_file at files"),
        ("gateway", "gateway"),
    ],
)
def test_a_signer_is_shortened_apart_from_the_server(subject: str, short: str) -> None:
    assert about(Stage(), subject) == short


def test_a_signer_goes_by_the_name_that_the_operator_gave_it() -> None:
    stage = Stage()
    verdict = verified("alice")
    assert verdict.signer is not None
    signer = structs.replace(verdict.signer, name="ledger")
    stage.request(verdict=structs.replace(verdict, signer=signer))
    assert about(stage, f"{signer.fingerprint[:8]} {signer.id} at orders") == "ledger at orders"
    assert about(stage, f"{signer.id} at orders") == "ledger at orders"


def test_a_session_goes_by_its_name_in_lists() -> None:
    stage = Stage()
    session = stage.session("orders~did:aip:0123…89a0bb57", upstream="orders")
    session.kind, session.binding = SessionKind.SIGNER, Binding(Signer(DID, "m1sI0XSEabc"))
    stage.request(session=session)
    stage.request(session=stage.session("orders/fb59807c1515", upstream="orders"))
    assert about(stage, "did:aip:0123…89a0bb57 at orders") == "~m1sI0XS at orders"
    said = about(stage, f"fb59807c1515 at orders: m1sI0XSE {DID} (first in 5d3881e4)")
    assert said == "fb59807c at orders: m1sI0XSE (first in 5d3881e4)"


def test_the_operator_s_name_stands_before_key_and_id() -> None:
    stage = Stage()
    verdict = verified("alice")
    assert verdict.signer is not None
    signer = structs.replace(verdict.signer, name="ledger")
    stage.request(verdict=structs.replace(verdict, signer=signer))
    alert = stage.alert(stage.request().index)
    alert.subject = f"{signer.fingerprint[:8]} {signer.id} at orders"
    assert with_names(alert.subject, alert, stage.state) == f"ledger {alert.subject}"
    assert with_names(f"Signed by {short(signer.id)}.", alert, stage.state) == f"Signed by ledger {short(signer.id)}."


def test_a_shortened_id_gets_no_name_that_an_impostor_may_share() -> None:
    stage = Stage()
    verdict = verified("alice")
    assert verdict.signer is not None
    signer = structs.replace(verdict.signer, name="ledger")
    stage.request(verdict=structs.replace(verdict, signer=signer))
    alert = stage.alert(stage.request().index)
    said = f"Signed by {short(signer.id)}."
    alert.subject = f"{signer.id} at orders"
    assert with_names(said, alert, stage.state) != said
    alert.subject = f"{signer.id} and {signer.id[:14]}impostor-impostor{signer.id[-6:]} at orders"
    assert with_names(said, alert, stage.state) == said


def test_a_server_is_the_only_one_until_there_is_another() -> None:
    stage = Stage()
    assert only_server(stage.state) == ""
    stage.request(session=stage.session("a", upstream="files"))
    assert only_server(stage.state) == "files"
    stage.request(session=stage.session("b", upstream="notes"))
    assert only_server(stage.state) == ""
