"""Small recordings made by hand, byte by byte, in Databento's and Nasdaq's formats."""
import struct

from lob.feeds.itch_messages import SIZE_OF_KIND

SECOND_NS = 10**9
MIDNIGHT_NS = 1_704_153_600 * SECOND_NS  # 2024-01-02
LAST, SNAPSHOT = 128, 32
TICK = 250_000_000


def mbo(action, side, order_id, ticks, size, last=True, at_ns=SECOND_NS, flags=0, instrument=7, received_ns=None, extra=b""):
    """Return one market-by-order record; prices in quarters."""
    price = 2**63 - 1 if ticks is None else ticks * TICK
    length = (56 + len(extra)) // 4
    received_ns = MIDNIGHT_NS + (at_ns if received_ns is None else received_ns)
    return struct.pack("<BBHIQQqIBBccQiI", length, 160, 1, instrument, MIDNIGHT_NS + at_ns, order_id, price, size, flags | LAST * last, 0, action.encode(),
                       side.encode(), received_ns, 0, 0) + extra


def dbn_head(version=3, symbols=((7, "TEST"),)):
    """Return the head of a DBN file."""
    width = 22 if version == 1 else 71
    fixed = b"GLBX.MDP3".ljust(16, b"\0") + struct.pack("<HQQQ", 0, MIDNIGHT_NS, 2**64 - 1, 0)
    fixed += (struct.pack("<Q", 0) if version == 1 else b"") + struct.pack("<BBB", 1, 0, 0) + (b"" if version == 1 else struct.pack("<H", width))
    body = fixed.ljust(100, b"\0") + struct.pack("<I", 0)
    names = [name.encode().ljust(width, b"\0") for _, name in symbols]
    body += struct.pack("<I", len(names)) + b"".join(names) + struct.pack("<II", 0, 0) + struct.pack("<I", len(names))
    for (instrument, _), name in zip(symbols, names, strict=True):
        body += name + struct.pack("<III", 1, 20240102, 20240103) + str(instrument).encode().ljust(width, b"\0")
    return b"DBN" + bytes([version]) + struct.pack("<I", len(body)) + body


def dbn_file(path, records, **head):
    path.write_bytes(dbn_head(**head) + b"".join(records))
    return path


def itch(kind, at_ns=SECOND_NS, locate=1, **fields):
    """Return one ITCH message without its prefix: the head and what the kind has."""
    return kind.encode() + struct.pack(">HH", locate, 0) + at_ns.to_bytes(6, "big") + _BODY_OF[kind](**fields)


def _order(ref, side, shares, price, stock="TEST"):
    return struct.pack(">Qc", ref, side.encode()) + struct.pack(">I", shares) + stock.ljust(8).encode() + struct.pack(">I", price)


_BODY_OF = {
    "S": lambda event: event.encode(),
    "R": lambda stock="TEST": stock.ljust(8).encode() + b"QN" + struct.pack(">I", 100) + b"NCZ PNN2N" + bytes(4) + b"N",
    "H": lambda state, stock="TEST": stock.ljust(8).encode() + state.encode() + b" " * 5,
    "h": lambda action, stock="TEST": stock.ljust(8).encode() + b"Q" + action.encode(),
    "Y": lambda stock="TEST": stock.ljust(8).encode() + b"0",
    "L": lambda stock="TEST": b"MPID" + stock.ljust(8).encode() + b"YNA",
    "V": lambda: struct.pack(">QQQ", 1, 2, 3),
    "W": lambda: b"1",
    "K": lambda stock="TEST": stock.ljust(8).encode() + struct.pack(">IcI", 1, b"A", 1),
    "J": lambda stock="TEST": stock.ljust(8).encode() + struct.pack(">IIII", 1, 2, 3, 4),
    "A": _order,
    "F": lambda **fields: _order(**fields) + b"MPID",
    "E": lambda ref, shares: struct.pack(">QIQ", ref, shares, 1),
    "C": lambda ref, shares, price, printable="Y": struct.pack(">QIQcI", ref, shares, 1, printable.encode(), price),
    "X": lambda ref, shares: struct.pack(">QI", ref, shares),
    "D": lambda ref: struct.pack(">Q", ref),
    "U": lambda ref, new_ref, shares, price: struct.pack(">QQII", ref, new_ref, shares, price),
    "P": lambda shares, price, stock="TEST": _order(0, "B", shares, price, stock) + struct.pack(">Q", 1),
    "Q": lambda shares, price, stock="TEST": struct.pack(">Q", shares) + stock.ljust(8).encode() + struct.pack(">IQc", price, 1, b"O"),
    "B": lambda: struct.pack(">Q", 1),
    "I": lambda stock="TEST": struct.pack(">QQc", 1, 2, b"B") + stock.ljust(8).encode() + struct.pack(">IIIcc", 1, 2, 3, b"O", b"L"),
    "N": lambda stock="TEST": stock.ljust(8).encode() + b"A",
    "O": lambda stock="TEST": stock.ljust(8).encode() + b"Y" + struct.pack(">IIIQII", 1, 2, 3, 4, 5, 6),
}


def itch_bytes(messages, with_lengths=True):
    return b"".join((len(message) if with_lengths else 0).to_bytes(2, "big") + message for message in messages)


def itch_file(path, messages, with_lengths=True):
    path.write_bytes(itch_bytes(messages, with_lengths))
    return path


def with_lengths(content):
    """Return the bytes of a file whose prefixes are 00 00 with lengths instead."""
    out, i = bytearray(), 0
    while i < len(content):
        size = SIZE_OF_KIND[chr(content[i + 2])]
        out += size.to_bytes(2, "big") + content[i + 2:i + 2 + size]
        i += 2 + size
    return bytes(out)


# Small days, to be damaged

def dbn_day(order_count=60, version=3):
    """Return the bytes of a DBN day with every action that moves the book."""
    records = [mbo("A", "B", 1, 100, 5, flags=SNAPSHOT, last=False), mbo("R", "N", 0, None, 0)]
    for i in range(2, order_count):
        records += [mbo("A", "BA"[i % 2], i, 100 + i % 2, 5, at_ns=i * SECOND_NS)]
        records += [mbo("T", "A", 900 + i, 100, 2, last=False, at_ns=i * SECOND_NS), mbo("F", "B", i, 100, 2, last=False, at_ns=i * SECOND_NS)] * (i % 2 == 0)
        records += [mbo("C", "BA"[i % 2], i, 100 + i % 2, 2, at_ns=i * SECOND_NS), mbo("M", "BA"[i % 2], i, 100 + i % 2, 7, at_ns=i * SECOND_NS)]
    return dbn_head(version) + b"".join(records)


def itch_day(order_count=80, with_lengths=True):
    """Return the bytes of an ITCH day of one stock."""
    messages = [itch("R"), itch("H", state="T")]
    for i in range(1, order_count):
        messages += [itch("A", i * SECOND_NS, ref=i, side="BS"[i % 2], shares=500, price=1_000_000 + 100 * (i % 2))]
        messages += [itch("E", i * SECOND_NS, ref=i, shares=100), itch("U", i * SECOND_NS, ref=i, new_ref=1000 + i, shares=50, price=1_000_000)]
    return itch_bytes(messages, with_lengths)
