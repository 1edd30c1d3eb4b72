"""What a replayed LOBSTER day says about the book: with its book file, with an excerpt of it, and with none."""
from decimal import Decimal

import numpy as np
import pytest

from lob import feeds
from lob.errors import FeedError
from lob.messages import Action, Side, anonymous_id

SECOND_NS = 10**9
TEN_OCLOCK_NS = 36_000 * SECOND_NS


def books_after_messages(feed, book):
    """Yield k and the book after the feed's k-th message."""
    rows, start = feed.rows.tolist(), 0
    for k, end in enumerate(feed.event_ends.tolist()):
        for row in rows[start:end]:
            book.apply(row)
        start = end
        yield k, book


@pytest.mark.parametrize("level_count", [1, 2, 3, 8])
@pytest.mark.parametrize("seed", range(3))
def test_the_visible_window_is_the_book_row_after_every_message(seed, level_count, simulate_day, recorded_book, tmp_path):
    day = simulate_day(seed, level_count, 800)
    feed = feeds.lobster(day.write(tmp_path))
    for k, book in books_after_messages(feed, recorded_book):
        assert {side: book.levels(side) for side in Side} == {side: day.shown(k, side) for side in Side}, f"message {k}"
    assert feed.event_ends.size == len(day.messages)
    assert feed.event_ends[-1] == feed.rows.size
    assert recorded_book.rejected_count == feed.summary["unknown_references"] == feed.summary["unexplained_messages"] == 0


def test_a_price_that_enters_the_window_is_there_before_the_message_so_no_side_is_ever_empty(simulate_day, recorded_book, tmp_path):
    feed = feeds.lobster(simulate_day(level_count=1).write(tmp_path))
    for row in feed.rows[:feed.seed_count].tolist():
        recorded_book.apply(row)
    for row in feed.rows[feed.seed_count:].tolist():
        recorded_book.apply(row)
        assert recorded_book.levels(Side.BUY) and recorded_book.levels(Side.SELL)
    assert feed.summary["re_entries"] > 0


def test_the_seed_is_the_first_book_row_as_anonymous_volume(simulate_day, tmp_path):
    day = simulate_day()
    feed = feeds.lobster(day.write(tmp_path))
    seed = feed.rows[:feed.seed_count]
    assert set(seed["action"]) == {Action.LIMIT}
    assert [tuple(row) for row in seed[["price_ticks", "lots"]]] == day.shown(0, Side.SELL) + day.shown(0, Side.BUY)
    assert seed["order_id"].tolist() == [anonymous_id(side, price) for side, price in zip(seed["side"].tolist(), seed["price_ticks"].tolist(), strict=True)]
    assert (seed["time_ns"] == feed.start_ns).all()


def test_plain_gzip_and_zip_give_the_same_rows(simulate_day, tmp_path):
    day = simulate_day()
    folders = [tmp_path / name for name in ("plain", "gzip", "zip")]
    for folder in folders:
        folder.mkdir()
    plain, packed, zipped = (feeds.lobster(write(folder)) for write, folder in zip((day.write, day.write_gzip, day.write_zip), folders, strict=True))
    assert plain.rows.tobytes() == packed.rows.tobytes() == zipped.rows.tobytes()
    assert plain.name == packed.name == zipped.name == "TEST"
    assert zipped.source.endswith(f"LOBSTER_SampleFile_TEST.zip/{day.message_name}")


def test_the_book_file_may_be_named(simulate_day, tmp_path):
    day = simulate_day()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    day.write(elsewhere)
    path = day.write(tmp_path, with_book=False)
    named, blind = feeds.lobster(path, book=elsewhere / day.book_name), feeds.lobster(path)
    assert named.summary["book_file"] == str(elsewhere / day.book_name)
    assert blind.summary["book_file"] is None


def test_from_starts_at_the_last_book_row_before_it_and_to_leaves_out_what_is_later(simulate_day, recorded_book, tmp_path):
    day = simulate_day()
    path = day.write(tmp_path)
    times_ns = np.array([int(Decimal(row.split(",")[0]) * SECOND_NS) for row in day.messages])
    from_ns, to_ns = int(times_ns[150]), int(times_ns[300])
    feed = feeds.lobster(path, from_ns=from_ns, to_ns=to_ns)
    seed = feed.summary["seed_row"] - 1
    assert feed.rows["time_ns"][feed.seed_count - 1] < from_ns <= feed.rows["time_ns"][feed.seed_count]
    assert (feed.start_ns, feed.end_ns) == (from_ns, to_ns)
    assert seed + 1 == np.count_nonzero(times_ns < from_ns)
    assert seed + feed.event_ends.size == np.count_nonzero(times_ns <= to_ns)
    for k, book in books_after_messages(feed, recorded_book):
        assert book.levels(Side.BUY) == day.shown(seed + k, Side.BUY)


def write_excerpt(day, folder, first, row_count):
    path = day.write(folder, with_book=False)
    second = day.messages[first].split(",")[0]
    (folder / f"TEST_2024-01-02_orderbook_{day.level_count}_{row_count}rows_from_{second}.csv").write_text("\n".join(day.book[first:first + row_count]) + "\n")
    return path


def shared_time(day):
    """Return the second of two messages of one time, where the first changes the book."""
    times = [row.split(",")[0] for row in day.messages]
    return next(k for k in range(50, 300) if times[k] == times[k - 1] == times[k + 1] and day.book[k] != day.book[k - 1] != day.book[k - 2])


def test_an_excerpt_is_placed_among_messages_of_equal_time_by_what_they_explain(simulate_day, tmp_path):
    day = simulate_day()
    first = shared_time(day)
    feed = feeds.lobster(write_excerpt(day, tmp_path, first, 40))
    assert feed.summary["seed_row"] == first + 1
    assert feed.summary["seeding"] == "first row of the book file"
    assert feed.summary["re_entries"] == 0


def test_an_excerpt_that_the_messages_do_not_explain_is_refused(simulate_day, tmp_path):
    day, other = simulate_day(1), simulate_day(2)
    day.book = other.book
    with pytest.raises(FeedError, match=r"orderbook_3_40rows_from_\S+: the messages from its first row's time on must explain its 40 rows, \d+ are left"):
        feeds.lobster(write_excerpt(day, tmp_path, 100, 40))


def test_an_excerpt_of_another_time_is_refused(simulate_day, tmp_path):
    day = simulate_day()
    path = write_excerpt(day, tmp_path, 100, 40)
    excerpt = next(tmp_path.glob("*orderbook*"))
    excerpt.rename(tmp_path / "TEST_2024-01-02_orderbook_3_40rows_from_34199.5.csv")
    with pytest.raises(FeedError, match="first row must follow a message of that time"):
        feeds.lobster(path)


def test_an_excerpt_cannot_start_a_replay_before_its_first_row(simulate_day, tmp_path):
    path = write_excerpt(simulate_day(), tmp_path, 100, 40)
    with pytest.raises(FeedError, match="from must not be before its first row at"):
        feeds.lobster(path, from_ns=34_200 * SECOND_NS)


def test_the_book_file_of_another_day_is_refused(simulate_day, tmp_path):
    day = simulate_day(1)
    day.book = simulate_day(2).book
    with pytest.raises(FeedError, match=r"orderbook_3.csv: row \d+: must follow from the row before and its message; \d+ of 400 rows do not"):
        feeds.lobster(day.write(tmp_path))


def test_a_book_file_with_fewer_rows_than_messages_is_refused(simulate_day, tmp_path):
    day = simulate_day()
    day.book = day.book[:-1]
    with pytest.raises(FeedError, match="must have a row for each of the 400 messages, has 399"):
        feeds.lobster(day.write(tmp_path))


def test_a_damaged_size_in_the_book_file_is_counted_and_put_right(simulate_day, recorded_book, tmp_path):
    day = simulate_day()
    price, lots, rest = day.book[200].split(",", 2)
    day.book[200] = f"{price},{int(lots) + 5},{rest}"
    feed = feeds.lobster(day.write(tmp_path))
    for k, book in books_after_messages(feed, recorded_book):
        assert book.levels(Side.SELL) == day.shown(k, Side.SELL), f"message {k}"
    assert 1 <= feed.summary["unexplained_messages"] <= 2


def test_without_a_book_file_the_replay_starts_blind_and_counts_unknown_orders(simulate_day, tmp_path):
    day = simulate_day()
    feed = feeds.lobster(day.write(tmp_path, with_book=False))
    entered = {row.split(",")[2] for row in day.messages if row.split(",")[1] == "1"}
    unknown = [row for row in day.messages if row.split(",")[1] in "234" and row.split(",")[2] not in entered]
    assert feed.seed_count == 0
    assert feed.rows.size == feed.event_ends.size == len(day.messages)
    assert feed.summary["seeding"] == "blind"
    assert feed.summary["unknown_references"] == len(unknown)


def test_amazon_with_five_levels_matches_its_book_file_in_every_row(data_folder, recorded_book):
    path = data_folder / "LOBSTER_SampleFile_AMZN_2012-06-21_5.zip"
    feed, rows = feeds.lobster(path), book_rows(path, 5)
    mismatches = sum(
        book.levels(Side.SELL) != rows[k][0] or book.levels(Side.BUY) != rows[k][1] for k, book in books_after_messages(feed, recorded_book)
    )
    assert len(rows) == feed.event_ends.size == 155_935
    assert mismatches == 0
    assert recorded_book.rejected_count == feed.summary["unknown_references"] == feed.summary["unexplained_messages"] == 0
    assert str(feed.tick_size) == "0.01"
    assert feed.summary["prints_off_tick"] == 63


def test_microsoft_from_ten_has_the_best_quotes_of_its_book_file_and_never_crosses(data_folder, recorded_book):
    path = data_folder / "MSFT_2012-06-21_34200000_37800000_message_50.csv.gz"
    feed = feeds.lobster(path, from_ns=TEN_OCLOCK_NS)
    shown = book_rows(data_folder / "MSFT_2012-06-21_orderbook_50_1000rows_from_35999.954513652.csv.gz", 50)
    checked = crossed = 0
    for k, book in books_after_messages(feed, recorded_book):
        best_bid, best_ask = max(book.queues[Side.BUY]), min(book.queues[Side.SELL])
        crossed += best_bid >= best_ask
        if 0 < k < len(shown):
            checked += 1
            assert (best_ask, sum(book.queues[Side.SELL][best_ask].values())) == shown[k][0][0]
            assert (best_bid, sum(book.queues[Side.BUY][best_bid].values())) == shown[k][1][0]
    assert checked == 999
    assert crossed == 0
    assert feed.event_ends.size == 74_595
    assert feed.summary["seed_row"] == 66_913
    assert feed.start_ns == TEN_OCLOCK_NS
    assert feed.rows["time_ns"][0] == 35_999_954_513_652


def book_rows(path, level_count):
    """Return [(asks, bids)] of a book file, each [(price_ticks, lots)], best first, read by another reader than the feed's."""
    polars = pytest.importorskip("polars")
    source = path
    if path.suffix == ".zip":
        import zipfile
        with zipfile.ZipFile(path) as archive:
            source = archive.read(next(name for name in archive.namelist() if "orderbook" in name))
    rows = polars.read_csv(source, has_header=False).rows()
    return [tuple([(row[i] // 100, row[i + 1]) for i in range(first, 4 * level_count, 4) if row[i + 1]] for first in (0, 2)) for row in rows]
