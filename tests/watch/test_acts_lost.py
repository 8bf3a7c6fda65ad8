"""An act whose answer never came, and logs that go by the name of another."""

from pathlib import Path

import httpx
import pytest
from desks import calling, unsigned

from mcpwatch.detect.book import AlertBook
from mcpwatch.detect.engine import Engine
from mcpwatch.errors import ConnectError
from mcpwatch.feed.acts import ActConflict
from mcpwatch.feed.post_act import post_act
from mcpwatch.gateway.folder import operator_token_path
from mcpwatch.identity.signed_acts import operator_key, sign_act
from mcpwatch.model.feed import FeedStatus
from mcpwatch.watch.alerting import Alerting

ID = "0123456789ab"


class Cut(httpx.AsyncHTTPTransport):
    """Passes a request on and loses the answer."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        await answer.aread()
        await answer.aclose()
        raise httpx.ReadError("lost", request=request)


async def test_an_act_whose_answer_was_lost_is_in_the_log_once_however_often_it_is_tried(tmp_path: Path) -> None:
    async with calling(tmp_path / "gateway") as running:
        token = operator_token_path(running.options.state).read_text().strip()
        act = sign_act(operator_key(tmp_path), unsigned(running, ID, last_index=0))
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=Cut(), headers=headers, trust_env=False) as client:
            with pytest.raises(ConnectError, match="did not say that it took it: the connection was lost") as caught:
                await post_act(client, running.feed_address, act)
            assert "It may have taken it all the same" in caught.value.hint
        async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
            with pytest.raises(ActConflict, match="ann acknowledged it at"):
                await post_act(client, running.feed_address, act)
        await running.log.sign_now()
        assert len(running.log.store.acts()) == 1


def test_of_two_logs_with_one_name_and_different_keys_the_first_is_believed() -> None:
    book = AlertBook()
    alerting = Alerting(Engine(), book, lambda: 0.0)
    for name, key in (("ours", "k1"), ("theirs", "k2"), ("ours again", "k1"), ("theirs", "k2")):
        alerting.observe_feed(None, FeedStatus(name, "http://gateway", origin="gateway.example/1", key=key))
    assert book.origins == {"ours": "gateway.example/1", "ours again": "gateway.example/1"}
    assert book.origin("theirs") == "theirs"
    told = [(alert.rule, alert.subject) for alert in book.alerts.values()]
    assert told == [("feed/same-name", "theirs")]
