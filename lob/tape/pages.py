"""Pages: rows of a tape as the bytes of one row group of a Parquet file.

Owns the encodings, which are chosen for each column of each group by what is in it: a column whose numbers lie close together becomes a dictionary of all
numbers between its least and its largest, and places in it of a few bits each (a constant: one run); any other becomes differences of a few bits each.
Nothing is compressed beyond that: it costs a tenth of what a general compressor does, so a tape can be written while a market goes on.

Sources: Apache Parquet, "Parquet encoding definitions" (RLE_DICTIONARY, DELTA_BINARY_PACKED) and parquet.thrift; Apache Thrift, "Thrift compact protocol".
Bytes are written as whole words, of which the next ones overwrite what is too much: a buffer needs eight bytes more than it holds.
"""
import numpy as np

from lob.exchange.ladder import word_at
from lob.jit import jit, leading_zeros, pool_reader, store_word
from lob.messages import REPORT

GROUP_ROWS = 2**14       # at the most; so few that their columns stay in the processor's cache
BLOCK_ROWS = 64          # picked apart at a time
ROW_WORDS = REPORT.itemsize // 8
DICTIONARY_MAX = 2048    # numbers in a dictionary
HEADER_BYTES = 64        # more than any header of a page
DELTA_BLOCK, MINIBLOCKS, MINIBLOCK = 128, 4, 32

INT32, INT64 = 1, 2
DATA_PAGE, DICTIONARY_PAGE = 0, 2
PLAIN, RLE, DELTA_BINARY_PACKED, RLE_DICTIONARY = 0, 3, 5, 8
# What stands before a field in Thrift's compact protocol: how far its number is from the one before it, and its type.
I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12
STOP = 0

# Where a column's numbers lie in a row: the word, how far to shift it left and right, and the bits to keep. Then Parquet's type, and where the beginning of its
# metadata lies and how long it is. Then what the group at hand holds of it.
COLUMN = np.dtype([(name, "i8") for name in ("word", "left", "right", "mask", "type", "said", "said_bytes", "least", "most")], align=True)
column_at = pool_reader(COLUMN)


def table_of_columns(said):
    """Return COLUMN[number of REPORT fields]. said: for each field what its metadata begins with, as bytes."""
    table, at = np.zeros(len(REPORT.names), COLUMN), 0
    for column, name, metadata in zip(table, REPORT.names, said, strict=True):
        kind, offset = REPORT.fields[name]
        bits, free = 8 * kind.itemsize, 64 - 8 * kind.itemsize
        column["word"], column["left"], column["right"] = offset // 8, free - 8 * (offset % 8), free
        column["mask"] = -1 if kind.kind == "i" else 2**bits - 1
        column["type"] = INT64 if bits == 64 else INT32
        column["said"], column["said_bytes"] = at, len(metadata)
        at += len(metadata)
    return table


def group_bytes_max(row_count):
    """Return how many bytes the pages of so many rows take at the most."""
    blocks = row_count // DELTA_BLOCK + 2
    pages_bytes = len(REPORT.names) * (8 * DELTA_BLOCK * blocks + 16 * blocks + 8 * DICTIONARY_MAX + 3 * HEADER_BYTES)
    return pages_bytes + 256 * len(REPORT.names) + 64


class Pages:
    """The memory that a writer of row groups needs. said: for each REPORT field what its metadata begins with, as bytes."""

    def __init__(self, said):
        self._columns = table_of_columns(said)
        self._said = np.frombuffer(b"".join(said) + bytes(8), np.uint8)
        # Columns a little more than a power of two apart, or all of them would compete for the same places in the cache.
        self._numbers = np.zeros((len(said), GROUP_ROWS + 72), np.int64)
        self._steps = np.zeros(DELTA_BLOCK + 3 * len(said), np.int64)
        self._out = np.zeros(group_bytes_max(GROUP_ROWS), np.uint8)
        self.of(np.zeros(1, REPORT), 0)  # compiles it, so that no clock runs meanwhile

    def of(self, rows, file_at):
        """Return the pages of REPORT[n], 0 < n <= GROUP_ROWS, and the RowGroup that the file says of them if they stand at file_at.

        Both are memory of this object, good until the next call.
        """
        pages_bytes, said_bytes = put_group(
            rows.ctypes.data, len(rows), self._columns.ctypes.data, len(self._columns), self._numbers, self._steps, self._said.ctypes.data,
            self._out.ctypes.data, file_at,
        )
        return self._out[:pages_bytes].data, self._out[pages_bytes : pages_bytes + said_bytes].data


# Bytes.

@jit(inline=True)
def _put_byte(at, byte):
    store_word(at, byte)
    return at + 1


@jit(inline=True)
def _put_varint(at, number):
    """Write an unsigned number, seven bits a byte; return the address behind it."""
    rest = np.uint64(number)
    while rest >= np.uint64(128):
        store_word(at, np.int64(rest & np.uint64(127) | np.uint64(128)))
        rest >>= np.uint64(7)
        at += 1
    store_word(at, np.int64(rest))
    return at + 1


@jit(inline=True)
def _put_signed(at, number):
    """Write a signed number, which is doubled so that small ones stay short whatever their sign."""
    return _put_varint(at, (number << 1) ^ (number >> 63))


@jit(inline=True)
def _put_field(at, step, kind, number):
    """Write a field of a Thrift struct that is a number."""
    return _put_signed(_put_byte(at, step << 4 | kind), number)


@jit
def _put_page_header(at, page, byte_count, number_count, encoding):
    at = _put_field(at, 1, I32, page)
    at = _put_field(at, 1, I32, byte_count)
    at = _put_field(at, 1, I32, byte_count)
    at = _put_byte(at, (2 if page == DATA_PAGE else 4) << 4 | STRUCT)
    at = _put_field(at, 1, I32, number_count)
    at = _put_field(at, 1, I32, encoding)
    if page == DATA_PAGE:
        # Of levels, which a flat column without nulls does not have.
        at = _put_field(at, 1, I32, RLE)
        at = _put_field(at, 1, I32, RLE)
    return _put_byte(_put_byte(at, STOP), STOP)


@jit
def _pack(at, numbers, first, count, least, width):
    """Write the lowest `width` bits of each number less the least, one after another, the lowest bit first; return the address behind them."""
    word, filled = np.uint64(0), 0
    for i in range(first, first + count):
        number = np.uint64(numbers[i]) - np.uint64(least)
        if width < 64:
            number &= (np.uint64(1) << np.uint64(width)) - np.uint64(1)
        word |= number << np.uint64(filled)
        filled += width
        if filled >= 64:
            store_word(at, np.int64(word))
            at += 8
            filled -= 64
            word = number >> np.uint64(width - filled) if filled else np.uint64(0)
    store_word(at, np.int64(word))
    return at + ((filled + 7) >> 3)


# Columns.

@jit
def _pick_apart(rows, row_count, columns, column_count, numbers):
    """Copy rows into columns, and note what the least and the largest number of each is."""
    for c in range(column_count):
        column = column_at(columns, c)
        column.least, column.most = np.iinfo(np.int64).max, np.iinfo(np.int64).min
    for first in range(0, row_count, BLOCK_ROWS):
        behind = min(first + BLOCK_ROWS, row_count)
        for c in range(column_count):
            column, to = column_at(columns, c), numbers[c]
            _pick(rows + 8 * column.word, first, behind, column, to)
            least, most = column.least, column.most
            for i in range(first, behind):
                least, most = min(least, to[i]), max(most, to[i])
            column.least, column.most = least, most


@jit(inline=True)
def _pick(place, first, behind, column, to):
    left, right, mask = column.left, column.right, column.mask
    for i in range(first, behind):
        to[i] = ((word_at(place, i * ROW_WORDS).value << left) >> right) & mask


@jit
def _put_dictionary(at, column, numbers, count):
    """Write a column as places in the dictionary of all numbers from its least to its largest; return (address behind, where the data page begins)."""
    size, number_bytes = column.most - column.least + 1, 8 if column.type == INT64 else 4
    at = _put_page_header(at, DICTIONARY_PAGE, size * number_bytes, size, PLAIN)
    for number in range(column.least, column.most + 1):
        store_word(at, number)
        at += number_bytes
    data = at
    if size == 1:
        run_bytes = _put_varint(at, count << 1) - at
        at = _put_page_header(at, DATA_PAGE, run_bytes + 2, count, RLE_DICTIONARY)
        at = _put_varint(_put_byte(at, 1), count << 1)
        return _put_byte(at, 0), data
    width, eights = 64 - leading_zeros(size - 1), (count + 7) >> 3
    run_bytes = _put_varint(at, eights << 1 | 1) - at
    at = _put_page_header(at, DATA_PAGE, 1 + run_bytes + eights * width, count, RLE_DICTIONARY)
    at = _put_varint(_put_byte(at, width), eights << 1 | 1)
    behind = at + eights * width
    at = _pack(at, numbers, 0, count, column.least, width)
    while at < behind:
        at = _put_byte(at, 0)
    return behind, data


@jit
def _put_differences(at, column, numbers, count, steps):
    """Write a column as differences of each number from the one before it; return (address behind, where the data page begins)."""
    spare = 0 if column.type == INT64 else 32
    start = at + HEADER_BYTES
    at = _put_varint(_put_varint(_put_varint(start, DELTA_BLOCK), MINIBLOCKS), count)
    at = _put_signed(at, (numbers[0] << spare) >> spare)
    for first in range(1, count, DELTA_BLOCK):
        at = _put_block(at, numbers, first, min(DELTA_BLOCK, count - first), steps, spare)
    # Its length known at last, the header is written, and moved to right before the page: the last word first, so that none is in the way of another.
    header = start - HEADER_BYTES
    header_bytes = _put_page_header(header, DATA_PAGE, at - start, count, DELTA_BINARY_PACKED) - header
    for i in range(8, header_bytes + 8, 8):
        store_word(start - i, word_at(header + header_bytes - i, 0).value)
    return at, start - header_bytes


@jit
def _put_block(at, numbers, first, count, steps, spare):
    """Write a block of differences: the least of them, and in four parts what each is above it in as many bits as the part needs."""
    least = np.iinfo(np.int64).max
    for j in range(count):
        # Wrapped, as the numbers are.
        step = np.int64(np.uint64(numbers[first + j]) - np.uint64(numbers[first + j - 1]))
        step = (step << spare) >> spare
        steps[j] = step
        least = min(least, step)
    for j in range(count, DELTA_BLOCK):
        steps[j] = least
    at = _put_signed(at, least)
    widths = 0
    for part in range(MINIBLOCKS):
        bits = np.uint64(0)
        for j in range(part * MINIBLOCK, (part + 1) * MINIBLOCK):
            bits |= np.uint64(steps[j]) - np.uint64(least)
        widths |= _width(bits, spare) << (8 * part)
    store_word(at, widths)
    at += MINIBLOCKS
    for part in range(MINIBLOCKS):
        width = (widths >> (8 * part)) & 255
        if width:
            at = _pack(at, steps, part * MINIBLOCK, MINIBLOCK, least, width)
    return at


@jit(inline=True)
def _width(bits, spare):
    bits = (bits << np.uint64(spare)) >> np.uint64(spare)
    return 64 - leading_zeros(np.int64(bits)) if bits else 0


# The group.

@jit
def put_group(rows, row_count, columns, column_count, numbers, steps, said, out, file_at):
    """Write the pages of rows to `out`, and what the file says of them behind them; return (bytes of pages, bytes said).

    rows: address of REPORT[row_count]. columns: address of COLUMN[column_count]. numbers: int64[column_count, GROUP_ROWS], steps: int64[DELTA_BLOCK], for use
    here. said: address of what the metadata of columns begin with. out: an address with room for group_bytes_max. file_at: where in the file the pages begin.
    """
    _pick_apart(rows, row_count, columns, column_count, numbers)
    at = out
    places = steps[DELTA_BLOCK:]
    for c in range(column_count):
        column = column_at(columns, c)
        spread = np.uint64(column.most) - np.uint64(column.least)
        first = at
        if spread < np.uint64(min(DICTIONARY_MAX, 1 + row_count // 4)):
            at, data = _put_dictionary(at, column, numbers[c], row_count)
        else:
            at, data = _put_differences(at, column, numbers[c], row_count, steps)
            first = data
        places[3 * c], places[3 * c + 1], places[3 * c + 2] = first - out, data - out, at - out
    return at - out, _put_row_group(at, columns, column_count, places, said, row_count, file_at) - at


@jit
def _put_row_group(at, columns, column_count, places, said, row_count, file_at):
    """Write a RowGroup: its columns, their places in the file and their encodings; return the address behind it."""
    at = _put_byte(at, 1 << 4 | LIST)
    at = _put_varint(_put_byte(at, 15 << 4 | STRUCT), column_count)
    total_bytes = 0
    for c in range(column_count):
        column = column_at(columns, c)
        first, data, behind = places[3 * c], places[3 * c + 1], places[3 * c + 2]
        total_bytes += behind - first
        at = _put_field(at, 2, I64, file_at + first)
        at = _put_byte(at, 1 << 4 | STRUCT)
        for i in range(0, column.said_bytes, 8):
            store_word(at + i, word_at(said + column.said + i, 0).value)
        at += column.said_bytes
        at = _put_field(at, 1, I64, row_count)
        at = _put_field(at, 1, I64, behind - first)
        at = _put_field(at, 1, I64, behind - first)
        at = _put_field(at, 2, I64, file_at + data)
        if data != first:
            at = _put_field(at, 2, I64, file_at + first)
        at = _put_byte(_put_byte(at, STOP), STOP)
    at = _put_field(at, 1, I64, total_bytes)
    at = _put_field(at, 1, I64, row_count)
    return _put_byte(at, STOP)
