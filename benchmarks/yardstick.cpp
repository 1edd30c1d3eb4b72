// The yardstick: what hand-written C++ takes for the same work on the same machine.
//
// The same algorithm as the engine: a pool of orders found by their id through an open-addressing map, intrusive FIFO queues, one ladder a side whose keys grow
// with urgency, bitmaps of the occupied prices, and a row of ROW_BYTES, as many as REPORT has, written for every acceptance, fill, cancel and refusal, into a chunk
// that is handed over when full.
// It has what an engine must have in order to be one, and no more: no checks of the request, no owners, no growth, one array of prices instead of pages.
//
// With BARE it drops the map and the rows too: orders are found by their id in one array, only trades are recorded. That is a bound, not an engine: ids must be small.
//
// extern "C" run(records, n, first, order_max, price_max, bare, out): returns the nanoseconds of the records from `first` on, those before them fill the book;
// out = fills, volume, best_bid, best_ask, of all.
#include <chrono>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

// op: 0 limit, 1 cancel, 2 market, whose price is the far end and whose rest goes.
struct Record { uint8_t op, side; uint16_t pad; int32_t id, price, lots; };
struct alignas(32) Order { int64_t id; int32_t lots, price, next, prev, side; };
struct Level { int64_t lots; int32_t head, tail; };
struct Row {
    int64_t time_ns, sent_ns, order_id, price, lots;
    int32_t owner;
    uint16_t book; uint8_t action; int8_t side;
    int64_t sequence, resting_id, lots_ahead, level_lots;
    int32_t open_lots, resting_open_lots, resting_owner;
    uint16_t flags; uint8_t kind, tif;
    uint8_t others[ROW_BYTES - 96];  // the reason, and what only orders with rules of their own have: zero here
};
static_assert(sizeof(Row) == ROW_BYTES, "a row as large as the tape's");
enum Kind : uint8_t { ACCEPTED = 1, FILL, CANCELLED, REJECTED = 6 };

// One side's levels.
struct Ladder {
    std::vector<Level> levels;
    std::vector<uint64_t> words, summary;
    int32_t best = 0;

    explicit Ladder(int32_t keys) : levels(keys + 1), words(keys / 64 + 2), summary(keys / 4096 + 2) {}

    void occupy(int32_t key) {
        words[key >> 6] |= 1ull << (key & 63);
        summary[key >> 12] |= 1ull << ((key >> 6) & 63);
        if (key > best) best = key;
    }
    void vacate(int32_t key) {
        if (!(words[key >> 6] &= ~(1ull << (key & 63)))) summary[key >> 12] &= ~(1ull << ((key >> 6) & 63));
        if (key == best) best = below(key);
    }
    static int32_t highest(uint64_t word) { return 63 - __builtin_clzll(word); }
    int32_t below(int32_t key) const {
        int32_t i = key >> 6;
        if (uint64_t word = words[i] & ((1ull << (key & 63)) - 1)) return i << 6 | highest(word);
        int32_t j = i >> 6;
        uint64_t word = summary[j] & ((1ull << (i & 63)) - 1);
        while (!word && j > 0) word = summary[--j];
        if (!word) return 0;
        i = j << 6 | highest(word);
        return i << 6 | highest(words[i]);
    }
};

// From an id to a slot: an entry is 32 bits of hash and the slot; linear probing, deletion shifts back.
struct Map {
    std::vector<uint64_t> entries;
    int bits;
    uint64_t mask;

    explicit Map(int64_t orders) : bits(4) { while ((1ll << bits) < 2 * orders) ++bits; entries.resize(1ull << bits); mask = (1ull << bits) - 1; }

    static uint64_t tag(int64_t id) { return (uint64_t)id * 0x9E3779B97F4A7C15ull >> 32; }
    uint64_t home(uint64_t t) const { return t >> (32 - bits); }
    void add(int64_t id, int32_t slot) {
        uint64_t t = tag(id), i = home(t);
        while (entries[i]) i = (i + 1) & mask;
        entries[i] = t << 32 | (uint32_t)slot;
    }
    int32_t find(int64_t id, const std::vector<Order>& orders) const {
        uint64_t t = tag(id);
        for (uint64_t i = home(t); entries[i]; i = (i + 1) & mask)
            if (entries[i] >> 32 == t && orders[(uint32_t)entries[i]].id == id) return (int32_t)(uint32_t)entries[i];
        return 0;
    }
    void remove(int64_t id, int32_t slot) {
        uint64_t hole = home(tag(id));
        while ((uint32_t)entries[hole] != (uint32_t)slot) hole = (hole + 1) & mask;
        for (uint64_t i = (hole + 1) & mask; entries[i]; i = (i + 1) & mask)
            if (((i - home(entries[i] >> 32)) & mask) >= ((i - hole) & mask)) { entries[hole] = entries[i]; hole = i; }
        entries[hole] = 0;
    }
};

template <bool BARE>
struct Book {
    static constexpr int64_t CHUNK = 8192;
    std::vector<Order> orders;
    std::vector<Row> rows{CHUNK};
    Map map;
    Ladder sides[2];
    int32_t top, used = 0, free = 0;
    int64_t fills = 0, volume = 0, sequence = 0;

    Book(int64_t order_max, int32_t price_max) : orders(order_max + 1), map(BARE ? 1 : order_max), sides{Ladder(price_max), Ladder(price_max)}, top(price_max) {}

    int32_t key(int side, int32_t price) const { return side ? top - price : price; }
    Row& write(Kind kind, int64_t id, int side, int64_t price, int64_t lots) {
        Row& row = rows[sequence & (CHUNK - 1)];
        std::memset(&row, 0, sizeof row);
        row.sequence = sequence++, row.kind = kind, row.order_id = id, row.side = side ? -1 : 1, row.price = price, row.lots = lots;
        return row;
    }
    int32_t find(int64_t id) const {
        if constexpr (BARE) return orders[id].lots ? (int32_t)id : 0;
        return map.find(id, orders);
    }
    int32_t place(int64_t id) {
        if constexpr (BARE) return (int32_t)id;
        int32_t slot = free ? free : ++used;
        if (free) free = orders[free].next;
        map.add(id, slot);
        return slot;
    }
    void unlink(int32_t slot) {
        Order& order = orders[slot];
        Ladder& ladder = sides[order.side];
        int32_t k = key(order.side, order.price);
        Level& level = ladder.levels[k];
        level.lots -= order.lots;
        (order.prev ? orders[order.prev].next : level.head) = order.next;
        (order.next ? orders[order.next].prev : level.tail) = order.prev;
        order.lots = 0;
        if (!level.head) ladder.vacate(k);
        if constexpr (!BARE) { map.remove(order.id, slot); order.next = free; free = slot; }
    }
    void limit(int side, int32_t id, int32_t price, int32_t lots, bool is_market) {
        if constexpr (!BARE) {
            if (find(id)) { write(REJECTED, id, side, price, lots); return; }
            Row& row = write(ACCEPTED, id, side, price, lots);
            row.open_lots = lots, row.lots_ahead = sides[side].levels[key(side, price)].lots;
        }
        Ladder& opposite = sides[!side];
        for (int32_t limit = key(!side, price); lots && opposite.best >= limit;) {
            Level& level = opposite.levels[opposite.best];
            int32_t maker = level.head;
            Order& order = orders[maker];
            int32_t traded = lots < order.lots ? lots : order.lots;
            ++fills, volume += traded, lots -= traded;
            Row& row = write(FILL, id, side, order.price, traded);
            row.resting_id = order.id, row.open_lots = lots, row.resting_open_lots = order.lots - traded, row.level_lots = level.lots - traded;
            if (traded == order.lots) unlink(maker); else { order.lots -= traded; level.lots -= traded; }
        }
        if (!lots) return;
        if (is_market) {
            if constexpr (!BARE) write(CANCELLED, id, side, price, lots);
            return;
        }
        Ladder& own = sides[side];
        int32_t k = key(side, price), slot = place(id);
        Level& level = own.levels[k];
        orders[slot] = {id, lots, price, 0, level.tail, side};
        if (level.tail) orders[level.tail].next = slot; else { level.head = slot; own.occupy(k); }
        level.tail = slot, level.lots += lots;
    }
    void cancel(int32_t id) {
        int32_t slot = find(id);
        if constexpr (!BARE) {
            if (!slot) { write(REJECTED, id, 0, 0, 0); return; }
            write(CANCELLED, id, orders[slot].side, orders[slot].price, orders[slot].lots);
        }
        if (slot) unlink(slot);
    }
};

template <bool BARE>
int64_t timed(const Record* records, int64_t n, int64_t first, int64_t order_max, int32_t price_max, int64_t* out) {
    Book<BARE> book(order_max, price_max);
    std::chrono::steady_clock::time_point started;
    // One loop: with the warm part in a loop of its own the compiler made both a fifth slower.
    for (int64_t i = 0; i < n; ++i) {
        if (i == first) started = std::chrono::steady_clock::now();
        const Record& r = records[i];
        if (r.op == 1) book.cancel(r.id); else book.limit(r.side, r.id, r.price, r.lots, r.op == 2);
    }
    auto ended = std::chrono::steady_clock::now();
    out[0] = book.fills, out[1] = book.volume;
    out[2] = book.sides[0].best, out[3] = book.sides[1].best ? book.top - book.sides[1].best : 0;
    return std::chrono::duration_cast<std::chrono::nanoseconds>(ended - started).count();
}

}  // namespace

extern "C" int64_t run(const Record* records, int64_t n, int64_t first, int64_t order_max, int32_t price_max, int32_t bare, int64_t* out) {
    return bare ? timed<true>(records, n, first, order_max, price_max, out) : timed<false>(records, n, first, order_max, price_max, out);
}
