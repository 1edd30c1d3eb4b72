// The yardstick: what hand-written C++ takes for the same flow on the same machine.
//
// The same algorithm as the engine in its simplest dress: one array of levels by tick, intrusive FIFO queues, a bitmap of occupied ticks,
// orders found by their id in one array; trades are recorded. It has no report rows, no checks, no owners, no growth and a bounded price range, so it
// is a bound to be measured against, not an engine. Orders carry ids below `id_max` and prices below `price_max`.
//
// extern "C" run(records, n, id_max, price_max, out): returns nanoseconds; out = fills, volume, best_bid, best_ask.
#include <chrono>
#include <cstdint>
#include <vector>

namespace {

struct Record { uint8_t op, side; uint16_t pad; int32_t id, price, lots; };
struct Order { int32_t lots, price, next, prev, side; };
struct Level { int32_t head, tail; };
struct Trade { int32_t taker, maker, price, lots; };

// One side's levels; a key grows with urgency, so one code serves both sides.
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

struct Book {
    std::vector<Order> orders;
    std::vector<Trade> trades;
    Ladder sides[2];
    int32_t top;
    int64_t fills = 0, volume = 0;

    Book(int32_t id_max, int32_t price_max, int64_t n) : orders(id_max + 1), sides{Ladder(price_max), Ladder(price_max)}, top(price_max) { trades.resize(2 * n + 1024); }

    int32_t key(int side, int32_t price) const { return side ? top - price : price; }

    void unlink(int32_t id) {
        Order& order = orders[id];
        Ladder& ladder = sides[order.side];
        int32_t k = key(order.side, order.price);
        Level& level = ladder.levels[k];
        (order.prev ? orders[order.prev].next : level.head) = order.next;
        (order.next ? orders[order.next].prev : level.tail) = order.prev;
        order.lots = 0;
        if (!level.head) ladder.vacate(k);
    }
    void limit(int side, int32_t id, int32_t price, int32_t lots) {
        Ladder& opposite = sides[!side];
        for (int32_t limit = key(!side, price); lots && opposite.best >= limit;) {
            int32_t maker = opposite.levels[opposite.best].head;
            Order& order = orders[maker];
            int32_t traded = lots < order.lots ? lots : order.lots;
            if (fills < (int64_t)trades.size()) trades[fills] = {id, maker, order.price, traded};
            ++fills, volume += traded, lots -= traded;
            if (traded == order.lots) unlink(maker); else order.lots -= traded;
        }
        if (!lots) return;
        Ladder& own = sides[side];
        int32_t k = key(side, price);
        Level& level = own.levels[k];
        orders[id] = {lots, price, 0, level.tail, side};
        if (level.tail) orders[level.tail].next = id; else { level.head = id; own.occupy(k); }
        level.tail = id;
    }
    void cancel(int32_t id) {
        if (orders[id].lots) unlink(id);
    }
};

}  // namespace

extern "C" int64_t run(const Record* records, int64_t n, int32_t id_max, int32_t price_max, int64_t* out) {
    Book book(id_max, price_max, n);
    auto started = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < n; ++i) {
        const Record& r = records[i];
        if (r.op == 0) book.limit(r.side, r.id, r.price, r.lots); else book.cancel(r.id);
    }
    auto ended = std::chrono::steady_clock::now();
    out[0] = book.fills, out[1] = book.volume;
    out[2] = book.sides[0].best, out[3] = book.sides[1].best ? book.top - book.sides[1].best : 0;
    return std::chrono::duration_cast<std::chrono::nanoseconds>(ended - started).count();
}
