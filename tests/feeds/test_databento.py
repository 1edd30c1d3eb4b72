"""What Databento's market-by-order records say about the book, and how the file is read."""
import gzip
import zipfile

import numpy as np
import pytest
from made_files import LAST, MIDNIGHT_NS, SECOND_NS, SNAPSHOT, dbn_file, dbn_head, mbo

from lob import feeds
from lob.errors import FeedError
from lob.feeds import dbn
from lob.feeds.packed import Packed
from lob.messages import Action, Flag, Side

ESH4 = "esh4-glbx-mdp3-20231225.mbo.dbn.zst"
TWO_SIDES = [mbo("A", "B", 1, 100, 5), mbo("A", "A", 2, 102, 5)]
L, C, E, P, S, DROP = (int(a) for a in (Action.LIMIT, Action.CANCEL, Action.EXECUTE, Action.PRINT, Action.STATUS, Action.DROP_LEVEL))


def rows_after(tmp_path, records, before=(), **options):
    """Return (action, order_id, side, price_ticks, lots, is_last) of the rows that records bring after those before them."""
    feed = feeds.databento(dbn_file(tmp_path / "day.dbn", [*before, *records]), tick_size="0.25", **options)
    skipped = len(feeds.databento(dbn_file(tmp_path / "before.dbn", before), tick_size="0.25").rows) if before else 0
    return [(*row[:5], bool(row[5] & LAST)) for row in feed.rows[skipped:][["action", "order_id", "side", "price_ticks", "lots", "flags"]].tolist()]


def test_a_fill_is_the_change_and_the_cancel_of_its_event_repeats_it(tmp_path):
    records = [mbo("T", "B", 9, 102, 5, last=False), mbo("F", "A", 2, 102, 5, last=False), mbo("C", "A", 2, 102, 5)]
    assert rows_after(tmp_path, records, TWO_SIDES) == [(E, 2, -1, 102, 5, True), (S, 0, 0, 2, 0, True)]


def test_a_cancel_of_more_than_was_filled_takes_off_the_rest(tmp_path):
    records = [mbo("T", "B", 9, 102, 2, last=False), mbo("F", "A", 2, 102, 2, last=False), mbo("C", "A", 2, 102, 5)]
    assert rows_after(tmp_path, records, TWO_SIDES)[:2] == [(E, 2, -1, 102, 2, False), (C, 2, -1, 102, 3, True)]


def test_a_modify_that_repeats_a_partial_fill_changes_nothing(tmp_path):
    records = [mbo("T", "B", 9, 102, 2, last=False), mbo("F", "A", 2, 102, 2, last=False), mbo("M", "A", 2, 102, 3)]
    assert rows_after(tmp_path, records, TWO_SIDES)[:1] == [(E, 2, -1, 102, 2, True)]


def test_the_next_clip_of_an_iceberg_goes_to_the_back(tmp_path):
    records = [mbo("T", "B", 9, 102, 5, last=False), mbo("F", "A", 2, 102, 5, last=False), mbo("M", "A", 2, 102, 4)]
    assert rows_after(tmp_path, records, TWO_SIDES)[:2] == [(E, 2, -1, 102, 5, False), (L, 2, -1, 102, 4, True)]


@pytest.mark.parametrize(("ticks", "size", "rows"), [
    (100, 3, [(C, 1, 1, 100, 2, True)]),
    (100, 5, []),
    (100, 6, [(C, 1, 1, 100, 5, False), (L, 1, 1, 100, 6, True)]),
    (99, 5, [(C, 1, 1, 100, 5, False), (L, 1, 1, 99, 5, True)]),
])
def test_a_modify_keeps_its_place_only_if_the_price_is_the_same_and_the_size_not_larger(ticks, size, rows, tmp_path):
    assert rows_after(tmp_path, [mbo("M", "B", 1, ticks, size)], TWO_SIDES) == rows


def test_the_rest_of_the_aggressor_is_of_the_same_event(tmp_path):
    records = [mbo("T", "B", 9, 102, 5, last=False), mbo("F", "A", 2, 102, 5, last=False), mbo("C", "A", 2, 102, 5, last=False), mbo("A", "B", 9, 102, 1)]
    assert rows_after(tmp_path, records, TWO_SIDES)[:2] == [(E, 2, -1, 102, 5, False), (L, 9, 1, 102, 1, True)]


def test_lots_that_no_displayed_order_filled_are_a_print(tmp_path):
    records = [mbo("T", "B", 9, 102, 8, last=False), mbo("F", "A", 2, 102, 5, last=False), mbo("C", "A", 2, 102, 5)]
    assert rows_after(tmp_path, records, TWO_SIDES)[:2] == [(E, 2, -1, 102, 5, False), (P, 0, 1, 102, 3, True)]


def test_the_fill_of_the_aggressors_own_order_is_not_one_more(tmp_path):
    records = [mbo("T", "B", 9, 102, 5, last=False), mbo("F", "B", 9, 102, 5, last=False), mbo("F", "A", 2, 102, 5, last=False), mbo("C", "A", 2, 102, 5)]
    assert rows_after(tmp_path, records, TWO_SIDES)[:1] == [(E, 2, -1, 102, 5, True)]


def test_an_auction_is_a_print_without_a_side_and_cancels(tmp_path):
    records = [mbo("T", "N", 0, 101, 5, last=False), mbo("F", "N", 1, 101, 5, last=False), mbo("F", "N", 2, 101, 5, last=False),
               mbo("C", "B", 1, 100, 5, last=False), mbo("C", "A", 2, 102, 5)]
    assert rows_after(tmp_path, records, TWO_SIDES)[:3] == [(P, 0, 0, 101, 5, False), (C, 1, 1, 100, 5, False), (C, 2, -1, 102, 5, True)]


def test_a_clear_drops_every_price_and_quotes_collect_again(tmp_path):
    rows = rows_after(tmp_path, [mbo("T", "B", 9, 102, 1), mbo("R", "N", 0, None, 0)], TWO_SIDES)
    assert rows[:2] == [(P, 0, 1, 102, 1, True), (S, 0, 0, 2, 0, True)]
    assert {row[:5] for row in rows[2:4]} == {(DROP, 0, -1, 102, 0), (DROP, 0, 1, 100, 0)}
    assert [row[5] for row in rows[2:4]] == [False, True] and rows[4:] == [(S, 0, 0, 1, 0, True)]


def test_the_book_is_continuous_from_a_trade_after_which_it_is_not_crossed(tmp_path):
    crossed = [mbo("A", "B", 3, 105, 1), mbo("T", "N", 0, 103, 1, last=False), mbo("C", "B", 3, 105, 1)]
    actions = [(row[0], row[3]) for row in rows_after(tmp_path, [*TWO_SIDES, *crossed]) if row[0] in (S, P, L)]
    assert actions == [(S, 1), (L, 100), (L, 102), (L, 105), (P, 103), (S, 2)]


def test_a_snapshot_is_the_seed_at_the_time_it_was_taken(tmp_path):
    old = [mbo("A", "B", 1, 100, 5, last=False, at_ns=-5 * SECOND_NS, flags=SNAPSHOT, received_ns=0)]
    feed = feeds.databento(dbn_file(tmp_path / "day.dbn", [*old, mbo("A", "A", 2, 102, 5)]))
    assert feed.rows["action"][:feed.seed_count].tolist() == [L, S]
    assert feed.rows["time_ns"].tolist() == [0, 0, SECOND_NS]
    assert (feed.start_ns, feed.summary["midnight_ns"]) == (SECOND_NS, MIDNIGHT_NS)


def test_an_unknown_order_is_counted_and_left_to_the_exchange_to_refuse(tmp_path):
    path = dbn_file(tmp_path / "day.dbn", [*TWO_SIDES, mbo("C", "B", 77, 100, 5), mbo("M", "B", 78, 100, 4)])
    feed = feeds.databento(path)
    assert feed.summary["unknown_references"] == 2
    assert feed.rows[["action", "order_id", "lots"]].tolist()[-2:] == [(C, 77, 5), (L, 78, 4)]


def test_one_instrument_of_a_file_is_chosen_by_name_or_number(tmp_path):
    records = [mbo("A", "B", 1, 100, 5, instrument=7), mbo("A", "B", 2, 50, 3, instrument=8)]
    path = dbn_file(tmp_path / "day.dbn", records, symbols=((7, "TEST"), (8, "OTHER")))
    assert feeds.databento(path, "OTHER").rows["order_id"].tolist()[-1:] == feeds.databento(path, 8).rows["order_id"].tolist()[-1:] == [2]
    with pytest.raises(FeedError, match=r"day.dbn: symbol must be one of OTHER, TEST, was None"):
        feeds.databento(path)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_all_versions_and_packings_give_the_same_rows(version, tmp_path):
    import pyarrow

    content = dbn_head(version) + b"".join(TWO_SIDES)
    (tmp_path / "plain.dbn").write_bytes(content)
    (tmp_path / "gzip.dbn.gz").write_bytes(gzip.compress(content))
    (tmp_path / "zstd.dbn.zst").write_bytes(pyarrow.Codec("zstd").compress(content, asbytes=True))
    with zipfile.ZipFile(tmp_path / "zip.zip", "w") as archive:
        archive.write(tmp_path / "zstd.dbn.zst", "zstd.dbn.zst")
    read = [feeds.read(path) for path in sorted(tmp_path.iterdir())]
    assert len({feed.rows.tobytes() for feed in read}) == 1
    assert {feed.summary["version"] for feed in read} == {version} and {feed.name for feed in read} == {"TEST"}


def test_records_of_other_kinds_and_with_a_time_of_sending_are_passed_over_and_read(tmp_path):
    status = bytes([4, 0x12]) + bytes(14)
    feed = feeds.databento(dbn_file(tmp_path / "day.dbn", [status, mbo("A", "B", 1, 100, 5, extra=bytes(8)), status, mbo("A", "A", 2, 102, 5)]))
    assert feed.rows["order_id"][feed.rows["action"] == L].tolist() == [1, 2]


def test_a_file_is_read_in_blocks_of_any_size(tmp_path):
    records = [mbo("A", "B", i, 100, i) for i in range(1, 40)]
    path = dbn_file(tmp_path / "day.dbn", records)
    for block_bytes in (1, 16, 55, 57, 1000):
        with Packed(path) as packed:
            dbn.read_head(packed)
            read = list(dbn.mbo_blocks(packed, block_bytes))
        assert np.concatenate([block["size"] for _, block in read]).tolist() == list(range(1, 40))
        assert np.diff(np.concatenate([offsets for offsets, _ in read])).tolist() == [56] * 38


def test_a_streamed_feed_gives_the_same_rows(data_folder):
    whole, streamed = feeds.databento(data_folder / ESH4), feeds.databento(data_folder / ESH4, stream=True)
    assert streamed.is_streamed and streamed.rows.tobytes() == whole.rows.tobytes()
    assert streamed.summary == whole.summary


def test_fields_are_those_of_databentos_own_decoder(data_folder):
    databento = pytest.importorskip("databento", reason="databento is an optional test dependency: pip install databento")
    with Packed(data_folder / ESH4) as packed:
        dbn.read_head(packed)
        records = np.concatenate([block for _, block in dbn.mbo_blocks(packed)])
    theirs = databento.DBNStore.from_bytes((data_folder / ESH4).read_bytes()).to_ndarray()
    assert len(records) == len(theirs) == 68_792 and records.tobytes() == theirs.tobytes()


def test_the_book_of_a_real_day_is_that_of_its_records_and_never_crossed_while_continuous(data_folder, recorded_book):
    feed = feeds.databento(data_folder / ESH4)
    orders, phase, event, crossed, events = {}, 0, 0, 0, []
    with Packed(data_folder / ESH4) as packed:
        dbn.read_head(packed)
        for _, block in dbn.mbo_blocks(packed):
            events += block[["action", "side", "order_id", "price", "size", "flags"]].tolist()
    plain = iter(plain_books(events, orders))
    start = 0
    for end in [feed.seed_count, *feed.event_ends[feed.event_ends > feed.seed_count].tolist()]:
        for row in feed.rows[start:end].tolist():
            recorded_book.apply(row)
            phase = row[3] if row[7] == S else phase
        is_event = start and feed.rows["action"][end - 1] != S
        start = end
        if is_event:
            event += 1
            next(plain)
            bid, ask = (max(recorded_book.queues[side], key=lambda price, side=side: side * price) for side in Side)
            crossed += phase == 2 and bid >= ask
            if event % 997 == 0 or event == feed.summary["events"]:
                levels = {}
                for side, price, size in orders.values():
                    levels[side, price] = levels.get((side, price), 0) + size
                assert levels == {(int(side), price): lots for side in Side for price, lots in recorded_book.levels(side)}, f"event {event}"
    assert (event, crossed, feed.summary["unknown_references"], recorded_book.rejected_count) == (47_022, 0, 0, 0)


def plain_books(events, orders):
    """Follow the records as Databento documents them; stop at the end of each event."""
    for action, side, order_id, price, size, flags in events:
        letter, sign, ticks = chr(action), 1 if chr(side) == "B" else -1, price // 250_000_000
        if letter in "AM":
            orders[order_id] = (sign, ticks, size)
        elif letter == "C":
            sign, ticks, left = orders.pop(order_id)
            if left > size:
                orders[order_id] = (sign, ticks, left - size)
        if flags & LAST:
            yield


def test_a_flag_closes_each_event(tmp_path):
    feed = feeds.databento(dbn_file(tmp_path / "day.dbn", [*TWO_SIDES, mbo("T", "B", 9, 102, 5, last=False), mbo("F", "A", 2, 102, 5)]))
    assert (feed.rows["flags"] == Flag.LAST).all()
    assert feed.event_ends.tolist() == list(range(1, len(feed.rows) + 1))
