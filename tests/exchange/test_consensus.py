"""The consensus stream: the engine's report stream is the one that most matching engines agree on."""
import hashlib
import runpy
from pathlib import Path

import pytest

from lob.exchange.order_book import OrderBook
from lob.exchange.reference import ReferenceBook
from lob.messages import ReportKind

CONSENSUS = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "consensus.py"))
PUBLISHED_SHA256 = "e9b2e3926854410b01a035aeb25dd05f1e597c233be8263de9eb49b6713d367e"


@pytest.fixture(scope="module")
def requests(data_folder):
    return CONSENSUS["read_requests"](data_folder / "consensus_normal_seed23.npz")


def test_the_engine_reports_the_whole_stream_as_published(requests):
    rows = OrderBook(replace_keeps_place=False).send_many(requests)
    text = CONSENSUS["canonical_text"](rows)
    assert text.count("\n") + 1 == 2_204_643
    assert (rows["kind"] == ReportKind.FILL).sum() == 62_474
    assert hashlib.sha256(text.encode()).hexdigest() == PUBLISHED_SHA256


def test_the_reference_reports_the_first_hundred_thousand_messages_as_the_engine_does(requests):
    first = requests[:100_000]
    engine, reference = OrderBook(replace_keeps_place=False), ReferenceBook(replace_keeps_place=False)
    assert CONSENSUS["canonical_text"](reference.send_many(first)) == CONSENSUS["canonical_text"](engine.send_many(first))


def test_the_canonical_text_sorts_the_reports_of_one_message_and_skips_the_replaced_order():
    book = OrderBook(replace_keeps_place=False)
    for side, price_ticks, order_id in [(1, 99, 1), (-1, 101, 2)]:
        book.limit(side, price_ticks, 5, order_id)
    rows = book.replace(1, 101, 8)
    assert CONSENSUS["canonical_text"](rows) == "1,0,101,5,2,1\n3,0,0,1,101,8"
