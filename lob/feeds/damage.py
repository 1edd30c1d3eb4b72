"""Damage: what of a recording cannot be read, and what is done about it.

By default that is a FeedError at the first of it, with `keep_going` a count of what was left out. Owns the decision. Knows no file format.
"""
import numpy as np

from lob.errors import FeedError

TEXTS_MAX = 10


class Damage:
    """The record of what was left out.

    keep_going: whether reading goes on. count: records left out; texts: what was wrong with the first few, as an error would have said; is_cut: whether
    the file could not be read to its end.
    """

    def __init__(self, keep_going):
        self.keep_going, self.count, self.texts, self.is_cut = keep_going, 0, [], False

    def note(self, text, count=1):
        """Count records that are left out; raises FeedError with the text unless reading goes on."""
        if not self.keep_going:
            raise FeedError(text)
        self.count += count
        if len(self.texts) < TEXTS_MAX:
            self.texts.append(text)

    def some(self, is_wrong):
        """Yield the places where bool[n] is set, as many as are worth a text, and count the others."""
        places = np.flatnonzero(is_wrong)
        yield from places[:TEXTS_MAX].tolist()
        self.count += len(places[TEXTS_MAX:])

    def again(self):
        """Return a Damage that goes on from what this one has found."""
        damage = Damage(self.keep_going)
        damage.count, damage.texts, damage.is_cut = self.count, [*self.texts], self.is_cut
        return damage

    def up_to(self, blocks):
        """Yield blocks to their end, or to where reading them raises FeedError; raises that unless reading goes on."""
        try:
            yield from blocks
        except FeedError as error:
            self.is_cut = True
            self.note(str(error), count=0)

    def readable(self, place, offsets, records, rules):
        """Return the records of a block that keep the rules.

        records: a structured array, record i at byte offsets[i] of the file `place`; rules: (field, what it must do, bool[n] where it does).
        """
        ok = np.ones(len(records), bool)
        for _, _, holds in rules:
            ok &= holds
        if ok.all():
            return offsets, records
        i = int(np.argmin(ok))
        field, rule, _ = next(broken for broken in rules if not broken[2][i])
        self.note(f"{place}: byte {offsets[i]:,}: {field} must {rule}, was {_shown(records[field][i])}", int(np.count_nonzero(~ok)))
        return offsets[ok], records[ok]

    def summary(self):
        """Return what was left out in plain numbers and strings; nothing if nothing was."""
        return {"skipped": self.count, "is_cut_off": self.is_cut, "damage": self.texts} if self.texts else {}


def _shown(value):
    return repr(value.item() if isinstance(value, np.generic) else value)
