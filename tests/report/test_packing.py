"""What a page carries is JSON: arrays come back as they were, and nothing in it ends the script that it stands in."""
import base64
import json

import numpy as np
import pytest

from lob.report.packing import as_json, packed


def unpacked(column):
    return np.frombuffer(base64.b64decode(column["bdata"]), "<" + column["dtype"])


@pytest.mark.parametrize(("top", "dtype"), [(100, "i1"), (200, "u1"), (30_000, "i2"), (60_000, "u2"), (2**31 - 1, "i4"), (2**32 - 1, "u4"), (2**40, "f8")])
def test_whole_numbers_take_the_smallest_type_that_holds_them(top, dtype):
    values = np.arange(top - 9, top + 1)
    assert packed(values)["dtype"] == dtype
    assert (unpacked(packed(values)) == values).all()


def test_numbers_below_zero_keep_their_sign():
    values = np.array([-300, 5])
    assert (packed(values)["dtype"], unpacked(packed(values)).tolist()) == ("i2", [-300, 5])


def test_what_is_not_a_number_becomes_null():
    assert json.loads(as_json({"a": [float("nan"), 1.5, None], "b": np.array([np.inf]), "c": np.int64(3)})) == {"a": [None, 1.5, None], "b": [None], "c": 3}


def test_a_long_array_is_packed_and_a_short_one_is_a_list():
    data = json.loads(as_json({"long": np.arange(9), "short": np.arange(3)}))
    assert (unpacked(data["long"]).tolist(), data["short"]) == (list(range(9)), [0, 1, 2])


def test_a_word_cannot_end_the_script():
    text = as_json({"name": "</script><!-- x"})
    assert "</script" not in text
    assert "<!--" not in text
    assert json.loads(text.replace("<\\!--", "<!--"))["name"] == "</script><!-- x"
