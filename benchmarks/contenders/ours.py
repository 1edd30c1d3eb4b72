"""The engine from compiled code, in batches and a call at a time; and its reference, the specification in plain Python."""
import numpy as np

from contenders import Contender, Outcome, columns, outcome_of, queues_of
from lob.bench import Flow, prepared_book, run_timed, to_stream
from lob.exchange.order_book import OrderBook
from lob.exchange.reference import ReferenceBook
from lob.messages import REPORT, Action

BATCH = 4_096


class CompiledCode(Contender):
    name, package, does = "lob, from compiled code", None, "matches"
    how = "the loop over the messages is compiled, as in a simulation, and timed as by `lob bench`; reports go to a chunk that is begun again when full"

    def __init__(self, stream):
        self.records, self.traded = to_stream(stream.timed), None
        self.book = prepared_book(Flow("stream", stream.warm, stream.timed))

    def nanoseconds(self):
        elapsed_ns, *self.traded = run_timed(self.book, self.records)
        return elapsed_ns

    def outcome(self):
        return Outcome(*self.traded, *queues_of(self.book))


class SendMany(Contender):
    name, package, does = "lob, OrderBook.send_many", None, "matches"
    how = f"{BATCH:,} messages a call from Python, all reports kept"

    def __init__(self, stream):
        self.book, self.rows = OrderBook(), []
        self.book.send_many(stream.warm)
        self.batches = [stream.timed[start:start + BATCH] for start in range(0, len(stream.timed), BATCH)]

    def run(self):
        self.rows = [self.book.send_many(batch) for batch in self.batches]

    def outcome(self):
        return outcome_of(self.book, np.concatenate([np.zeros(0, REPORT), *self.rows]))


class OneCall(Contender):
    name, package, does = "lob, one call a message", None, "matches"
    how = "OrderBook.limit, .market or .cancel from Python for each message, all reports kept"

    def __init__(self, stream):
        self.book, self.rows = OrderBook(), []
        self.book.send_many(stream.warm)
        self.messages = columns(stream.timed, "action", "side", "price_ticks", "lots", "order_id")

    def run(self):
        book, keep = self.book, self.rows.append
        for action, side, price_ticks, lots, order_id in self.messages:
            if action == Action.LIMIT:
                keep(book.limit(side, price_ticks, lots, order_id))
            elif action == Action.CANCEL:
                keep(book.cancel(order_id))
            else:
                keep(book.market(side, lots, order_id))

    def outcome(self):
        return outcome_of(self.book, np.concatenate([np.zeros(0, REPORT), *self.rows]))


class Reference(Contender):
    name, package, does = "lob, ReferenceBook", None, "matches"
    how = "the specification of the engine in plain Python on sortedcontainers; all reports kept"

    def __init__(self, stream):
        self.book, self.rows = ReferenceBook(), None
        self.book.send_many(stream.warm)
        self.requests = stream.timed.tolist()

    def run(self):
        self.rows = [row for request in self.requests for row in self.book.apply(request)]

    def outcome(self):
        return outcome_of(self.book, np.array(self.rows, REPORT))


CONTENDERS = (CompiledCode, SendMany, OneCall, Reference)
