// Our own products, for the shapes and machines on which they are faster than OpenBLAS; kernels.cpp says which.
//
// multiply() is the algorithm of Goto and van de Geijn (Anatomy of High-Performance Matrix Multiplication, ACM TOMS 34(3),
// 2008) with its micro-kernel taken from BLIS (Van Zee and van de Geijn, ACM TOMS 41(3), 2015), and one level of blocking:
//
//     for each group of strips of A's rows            strips of two or four vectors, packed; or all rows, where they are
//         for each block of the depth                 what tile() reads of A stays in the level-2 cache
//             for each panel of columns               B is read where it is: one element for every vector of A;
//                                                     what is missing of it is gathered, as it is read soon; a few panels
//                                                     are copied first where its rows would collide in the cache
//                 for each strip, each tile: tile()   α and β at the store of the tile; where tiles_alone(), those of the first
//                                                     panel pack A if its rows lie side by side; of the others, and where
//                                                     the depth is short, one loop takes all strips, if α is 1: add_strips()
//                 the tail, φ say                     while these rows of the panel are near
//
// The tile of C, 2 vectors of rows by 12 columns with AVX-512 and by 6 else, stays in 24 (12) of the 32 (16) registers while
// the depth runs: a step loads 2 vectors of A, and each element of B that it broadcasts is worth 2 multiply-adds. So many
// independent sums hide the latency of the multiply-add, and three registers suffice for the operands. Narrow panels take
// up to 8 vectors of rows instead; and so that a panel is narrow, strips may be tall.
//
// Packing copies a strip of A to one place, at unit stride. It pays where many columns share the copy and where A's columns
// would fall on the same lines of the level-1 cache; and A by its columns, as Wᵀ is, must be transposed anyway. Read in short
// pieces, A comes at a third of the speed of memory, so where strips are tall the next block is brought near while the tiles of
// one run, as is what the end of the tile at hand wants (784-1024-1024-10, a batch of 256, Zen 4: 2 to 3 % of a step).
//
// multiply_by_samples() computes Zᵀ = AᵀW, where that leaves less to transpose.
//
// dots() computes WᵀA without packing, as both operands are contiguous along the sum: a tile of 4 units by 6 samples (by 3
// with 16 registers) of vectors of partial sums, which are added up at the end.
//
// The order in which an element is summed does not depend on the columns beside it, but for what they choose: dots() or one of
// the others, which have the same order, to pack or not; and a single sample has an order of its own, as has a thread that finds
// no memory for strips.
#pragma once

#include <utility>

#include "kernels.hpp"
#include "simd.hpp"

namespace backblas::BACKBLAS_ISA {

constexpr int kTileColumns = kWidth == 16 ? kWidestPanel : 6;
constexpr int kStripRows = 2 * kWidth;

// By AVX2 a tile's loop takes two steps of the depth in a turn: 1.1 times as fast where a neighbour on the same core begins as
// many instructions, else the same (Zen 3). More than two vectors would not find room in the registers then.
constexpr bool in_pairs(int vectors) { return kWidth == 8 && vectors <= 2; }

// A tile that runs along the whole depth begins and ends once, and C is not read again: up to a tenth faster at a depth of 784
// and more (kernels_bench 784x128x128 784x1024x256 1024x1024x1024), though the strip then comes out of the level-2 cache.
constexpr int kMostDepth = 1024;

// Strips that are packed together, so that a B which would push out of the level-2 cache what else is there, the next batch
// say, is read less often, and one that is gathered meanwhile more slowly. Where tiles_alone(), whatever B is, if A takes 64
// KB: for packing alone a smaller one is not worth a thread's own memory, with which the library stays loaded as long as the
// thread lives.
constexpr int kStrips = 4;
constexpr int kGroupedA = 16 * 1024;
constexpr int kLargeB = 64 * 1024;  // 256 KB

// Where C is as large, and comes from afar, it is gone through column by column, not by the short pieces that a strip has of
// each: A is packed in groups of 128 KB, for few samples so all of it (steps of four layers of 512 units on 20 to 64 samples, two
// threads of a Zen 5: 1.5 to 1.9 times as fast, one thread: 1.05 to 1.1; with 256 and 512 KB the same; bench growth).
constexpr int kGroupFloats = 32 * 1024;  // where B is laid out, whatever C is

// Twelve columns of B that lie 4 KB apart are more than the eight ways of Zen 4's level-1 cache; at other distances, too, some
// fall on one set. There strips of four vectors go with panels of six columns: where A is packed that is 1.0 to 1.4 times as fast
// (kernels_bench 784x1024x256 1024x1024x{40,64,256,512}). A B that is contiguous along the columns has each step of the depth
// elsewhere in memory; if it is large it is read less often there: by four groups of strips at once, a quarter as deep. And where
// its rows lie 4 KB apart, all on one set, so many panels of it are copied at once (dW of 784x1024x{256,1024}: 1.03 to 1.07 times
// as fast).
constexpr int kTallRows = 2 * kStripRows, kTallColumns = kTileColumns / 2, kTallGroups = 4;
constexpr int kOneSet = 1024, kPanelsCopied = 8, kCopiedColumns = kPanelsCopied * kTallColumns;
constexpr int kStripFloats = kStrips * kStripRows * kMostDepth, kCopiedFloats = kCopiedColumns * kMostDepth / kTallGroups;
static_assert(kStripFloats + kCopiedFloats <= kStripsOfThread, "kernels.hpp");
static_assert(kGroupFloats <= kStripFloats, "what is copied, or laid out, lies behind");

inline bool by_halves() { return kWidth == 16 && halves_vectors(); }

// Whole strips go to tiles without panel(), what that does else takes as long as a twentieth of a tile. And where the rows of
// A lie side by side the tiles of the first panel pack it: the copy costs next to nothing, as its loads and stores find time
// beside the multiply-adds (AVX2, Zen 3, kernels_bench 784x128x128 256x256x64: 1.1 to 1.3 times as fast as packed before).
constexpr bool kTilesAlone = kWidth >= 8;
inline bool tiles_alone() { return kTilesAlone && !by_halves(); }

// Then packing pays soon, unless A is multiplied about as fast where it lies (Zen 5, kernels_bench 784x{64,128}x128 256x256x64,
// packed as soon: 0.91 to 0.97 times as fast; an Emerald Rapids: 1.07 to 1.38 times, 784x128x{16,32,64,128} 1000x1000x64).
inline bool packs_soon() { return tiles_alone() && (kWidth == 8 || !reads_in_place()); }

// Of so many floats, 16 KB, C is near to the end: its tail is taken at once.
constexpr int kSmallC = 4 * 1024;

// A single strip up to this depth, 32 KB (by AVX2 16), or several of as many floats, is packed to the stack, where HotSpot keeps
// 80 KB free for native code (StackShadowPages).
constexpr int kStackDepth = 256, kStackFloats = kStripRows * kStackDepth;

// A block of A in place, rows by depth, stays near: 1 MB (kernels_bench 784x1024x256 1024x1024x256; with a quarter of it the
// products are up to a tenth slower, with a sixteenth up to a third, as C goes to and fro more often).
constexpr int kBlockFloats = 256 * 1024;
constexpr int kLeastDepth = 16, kBlockDepth = 256;

inline int block_depth(int rows) {
    if (rows <= kBlockFloats / kBlockDepth) return kBlockDepth;
    return rows >= kBlockFloats / kLeastDepth ? kLeastDepth : kBlockFloats / rows;
}

// So many cache lines are brought near at once: after a tile, and within a deep one after a stretch; one where dots() runs. While
// they are on their way from main memory, what the product itself loads waits for a place among them, so more are dear. (Epochs
// on images of floats, one thread of a Zen 4: 784-30-10 costs 3 % beyond steps on a batch at hand, and 12 to 15 with 8 after a
// tile and none in dots(); 784-128-10 costs 4 %, and 5 to 7 with 16 after a stretch of 64. `bench epochs`)
constexpr int kLines = 4;
constexpr int kStretch = 16, kStretchOfDots = 48;  // multiply-adds of every sum meanwhile
constexpr int kFloatsOfLine = kCacheLine / sizeof(float);

// Pieces of a matrix that are brought near: so many floats of `left` columns (or rows), `step` from one to the next
struct Pieces {
    const float* piece = nullptr;
    int64_t step = 0;
    int size = 0, left = 0, at = 0;
};

// What is brought near while a product runs: what the tile at hand wants at its end, the strips of A to be packed next, and
// columns that are gathered next, in this order
struct Near {
    Pieces tile, strips;
    Ahead& ahead;
};

// The last float of each line is asked for: where a piece starts within a line, that was the last of the piece before.
inline int bring(Pieces& p, int lines) {
    for (; lines > 0 && p.left > 0; lines--) {
        __builtin_prefetch(p.piece + p.at + kFloatsOfLine - 1);
        p.at += kFloatsOfLine;
        if (p.at < p.size) continue;
        p.at = 0;
        p.piece += p.step;
        p.left--;
    }
    return lines;
}

inline void bring(Ahead& ahead, int lines) {
    if (ahead.line == ahead.last) {
        if (ahead.next == ahead.end) return;
        ahead.line = ahead.source + ahead.bytes * *ahead.next++;
        ahead.last = ahead.line + ahead.bytes;
    }
    for (int i = 0; i < lines && ahead.line < ahead.last; i++, ahead.line += kCacheLine) __builtin_prefetch(ahead.line);
    if (ahead.line > ahead.last) ahead.line = ahead.last;
}

inline void bring(Near& near) {
    bring(near.ahead, bring(near.strips, bring(near.tile, kLines)));
}

inline bool any(const Ahead& ahead) { return ahead.line != ahead.last || ahead.next != ahead.end; }
inline bool any(const Near& near) { return near.tile.left > 0 || near.strips.left > 0 || any(near.ahead); }

// Of so many strips, a panel takes long enough for the columns of another to come near.
constexpr int kLeastStrips =
    (kTileColumns * int(sizeof(float)) * kStretch + kLines * kCacheLine - 1) / (kLines * kCacheLine);
static_assert(kLeastStrips <= kStrips, "they are packed together");

// The index along which B is contiguous in memory; the other has a step. Or its panels lie one after the other, each contiguous
// along its columns, whose number is the step.
enum class Along { kDepth, kColumns, kPanels };

// Where part i starts when n things are divided into so many parts as evenly as it goes
inline int part(int n, int i, int parts) { return i == 0 ? 0 : i == parts ? n : int(int64_t(n) * i / parts); }
inline int parts(int n, int most) { return n <= most ? 1 : (n + most - 1) / most; }

// What of A is packed at once: so many rows from `first` on, so many steps of the depth from `k` on
struct Block {
    int first, rows, k, steps;
};

// A matrix, or a part of one: contiguous along one index, with `step` from one to the next of the other
struct Part {
    const float* data;
    int64_t step;
};

// The part of C that is computed, column-major
struct Target {
    float* data;
    int64_t step;
};

// The lines of a whole, deep tile of C (where tiles_alone(), of any that is packed) are asked for to be written: the last
// float of each, as above. Where another thread has read them, they are taken back while the tile is computed (steps by two
// threads of a Zen 5 whose processors are 0.5 µs apart, with and without by turns: 64-256-256-256-256-256-256-1, batch 64,
// 1.06 to 1.08 times as fast, 512-512-512-512, batch 128, 1.03 to 1.06; near each other, and by one thread, the same; Zen 4
// not measured). All at once, as they are but in the other's cache. A C that comes from afar is left to `near.tile`, where
// there is one.
template <int rows, int columns>
inline void claim(Target c) {
#pragma GCC unroll 16
    for (int j = 0; j < columns; j++)
#pragma GCC unroll 16
        for (int i = kFloatsOfLine - 1; i < rows; i += kFloatsOfLine) __builtin_prefetch(c.data + j * c.step + i, 1);
}

// What is packed comes from afar, and from pieces too short for the processor to see where they lead: brought near so much
// ahead (kernels_bench 784x1024x256 1024x1024x256: products are 1 to 2 % faster). A tile that packs asks for the strip below
// its own too, which comes next as a rule, and by AVX2 a transposition for the rows that it takes next instead (Zen 3, W6: Wδ
// of a W from beyond the level-2 cache 1.04 to 1.1 times as fast, of which what its tail reads, asked for before a tile, is a
// quarter; WᵀA 1.01 to 1.02).
constexpr int kColumnsAhead = 8, kVectorsAhead = 4;

// C ← α A B + β C on one tile: all its vectors of rows are whole, or the only one has `rows`, or of two the second ends with
// `rows`, so that they overlap and both are whole: what is masked would be late for a load of what lies beside it (narrow.cpp).
// Not inlined, or GCC keeps α and β in registers around the loop and spills the tile.
// A deep one brings near what comes next meanwhile. One that packs copies what it reads of A to `strip`.
template <int vectors, int columns, bool whole, Along along, bool deep = false, bool packs = false>
__attribute__((noinline)) void tile(int depth, Part a, Part b, float alpha, float beta, Target c, Near& near, int rows,
                                    float* strip) {
    constexpr bool masked = !whole && vectors == 1;
    const int second = whole ? kWidth : rows - kWidth;
    const auto at = [second](int v) { return whole || v == 0 ? v * kWidth : second; };
    Vec sum[columns][vectors] = {};
    const auto add_one = [&]() __attribute__((always_inline)) {
        Vec row[vectors];
#pragma GCC unroll 16
        for (int v = 0; v < vectors; v++) row[v] = masked ? load(a.data, rows) : shared<columns>(load(a.data + at(v)));
        if constexpr (packs) {
            constexpr int kHeight = vectors * kWidth;
            __builtin_prefetch(a.data + kColumnsAhead * a.step + kHeight - 1);
            __builtin_prefetch(a.data + 2 * kHeight - 1);
#pragma GCC unroll 16
            for (int v = 0; v < vectors; v++) store(strip + v * kWidth, row[v]);
            strip += kHeight;
        }
#pragma GCC unroll 16
        for (int j = 0; j < columns; j++) {
            const Vec x = broadcast(along == Along::kDepth ? b.data[j * b.step] : b.data[j]);
#pragma GCC unroll 16
            for (int v = 0; v < vectors; v++) sum[j][v] += row[v] * x;
        }
        a.data += a.step;
        b.data += along == Along::kDepth ? 1 : b.step;
    };
    const auto add = [&](int steps) __attribute__((always_inline)) {
        if (in_pairs(vectors))
            for (; steps > 1; steps -= 2) {
                add_one();
                add_one();
            }
        for (; steps > 0; steps--) add_one();
    };
    if (deep && near.tile.left == 0) claim<vectors * kWidth, columns>(c);
    int k = 0;
    if (deep && any(near))
        for (; k + kStretch < depth; k += kStretch) {
            add(kStretch);
            bring(near);
        }
    add(depth - k);
    const auto each = [&](auto step) {
#pragma GCC unroll 16
        for (int j = 0; j < columns; j++)
#pragma GCC unroll 16
            for (int v = 0; v < vectors; v++) step(sum[j][v], c.data + j * c.step + at(v));
    };
    if (alpha != 1) each([alpha](Vec& x, const float*) { x *= alpha; });
    if (beta != 0) each([=](Vec& x, const float* p) { x += (masked ? load(p, rows) : load(p)) * beta; });
    each([=](Vec x, float* p) { masked ? store(p, x, rows) : store(p, x); });
}

// Where α is 1 and the depth so short, strips need no calls of tile(), which take a third of the time of ten steps; and there is
// room in the registers, if another β than 1 is read for every strip (AVX2, Zen 3, kernels_bench 784x30x{4,10,16,32,64}
// 128x10x128: 1.1 to 1.6 times as fast; AVX-512, Zen 5, 784x30x{4,10,32}: 1.04 to 1.08 times).
constexpr int kShortDepth = kTilesAlone ? 64 : 0;

// What becomes of C before a product is added: β is 0, 1 or another
enum class Before { kUnread, kKept, kScaled };

// C ← A B + β C on whole strips of a panel of C; those of A lie `next` apart. If they are packed, a B that is contiguous along
// the columns is laid out. β lies in memory, so that it is no register's while the depth runs.
template <int vectors, int columns, Along along, Before before, bool packed = false>
__attribute__((noinline)) void add_strips(int strips, int64_t next, int depth, Part a, Part b, const float& beta, Target c,
                                          Near& near) {
    constexpr int kHeight = vectors * kWidth;
    const bool more = any(near);
    for (; strips > 0; strips--, a.data += next, c.data += kHeight) {
        Vec sum[columns][vectors] = {};
        if (packed) claim<kHeight, columns>(c);
        const float *column = a.data, *row = b.data;
        const auto add_one = [&]() __attribute__((always_inline)) {
            Vec x[vectors];
#pragma GCC unroll 16
            for (int v = 0; v < vectors; v++) x[v] = shared<columns>(load(column + v * kWidth));
#pragma GCC unroll 16
            for (int j = 0; j < columns; j++) {
                const Vec y = broadcast(along == Along::kDepth ? row[j * b.step] : row[j]);
#pragma GCC unroll 16
                for (int v = 0; v < vectors; v++) sum[j][v] += x[v] * y;
            }
            column += packed ? kHeight : a.step;
            row += along == Along::kDepth ? 1 : packed ? columns : b.step;
        };
        const auto add = [&](int steps) __attribute__((always_inline)) {
            if (packed && in_pairs(vectors))
                for (; steps > 1; steps -= 2) {
                    add_one();
                    add_one();
                }
            for (; steps > 0; steps--) add_one();
        };
        int k = 0;
        if (packed && more)
            for (; k + kStretch < depth; k += kStretch) {
                add(kStretch);
                bring(near);
            }
        add(depth - k);
        const Vec scale = before == Before::kScaled ? broadcast(beta) : Vec{};
#pragma GCC unroll 16
        for (int j = 0; j < columns; j++)
#pragma GCC unroll 16
            for (int v = 0; v < vectors; v++) {
                float* p = c.data + j * c.step + v * kWidth;
                if (before == Before::kKept) sum[j][v] += load(p);
                if (before == Before::kScaled) sum[j][v] += load(p) * scale;
                store(p, sum[j][v]);
            }
        if (more)
            for (; k < depth; k += kStretch) bring(near);
    }
}

// C ← α A B + β C on all rows of a panel of C, strip by strip
template <int vectors, int columns, Along along>
void panel(int rows, int depth, Part a, Part b, float alpha, float beta, Target c, Near& near) {
    constexpr int kHeight = vectors * kWidth;
    constexpr bool large = vectors == 2 || vectors == 4;  // as are the tiles of large products
    const auto whole =
        large && depth > kStretch ? tile<vectors, columns, true, along, large> : tile<vectors, columns, true, along>;
    const bool more = any(near);
    if constexpr (kShortDepth > 0)
        if (alpha == 1 && depth <= kShortDepth && rows >= kHeight && tiles_alone()) {
            const int strips = rows / kHeight, done = strips * kHeight;
            const auto add = beta == 0   ? add_strips<vectors, columns, along, Before::kUnread>
                             : beta == 1 ? add_strips<vectors, columns, along, Before::kKept>
                                         : add_strips<vectors, columns, along, Before::kScaled>;
            add(strips, kHeight, depth, a, b, beta, c, near);
            rows -= done;
            a.data += done;
            c.data += done;
        }
    for (; rows >= kHeight; rows -= kHeight, a.data += kHeight, c.data += kHeight) {
        whole(depth, a, b, alpha, beta, c, near, kHeight, nullptr);
        if (more) bring(near);
    }
    if constexpr (vectors > 2)
        panel<vectors / 2, columns, along>(rows, depth, a, b, alpha, beta, c, near);
    else if (rows > kWidth)
        tile<2, columns, false, along>(depth, a, b, alpha, beta, c, near, rows, nullptr);
    else if (rows > 0)
        tile<1, columns, false, along>(depth, a, b, alpha, beta, c, near, rows, nullptr);
}

// As many vectors of rows as keep the tile in the registers, at most 8
constexpr int vectors_of(int columns) {
    int vectors = 2;
    while (vectors < 8 && 2 * vectors * columns <= 2 * kTileColumns) vectors *= 2;
    return vectors;
}

using AddStrips = void(int strips, int64_t next, int depth, Part a, Part b, const float& beta, Target c, Near& near);
using Panel = void(int rows, int depth, Part a, Part b, float alpha, float beta, Target c, Near& near);

template <Along along, int... less>
Panel* panel_of(int columns, std::integer_sequence<int, less...>) {
    static constexpr Panel* kPanels[] = {panel<vectors_of(less + 1), less + 1, along>...};
    return kPanels[columns - 1];
}

template <Along along>
Panel* panel_of(int columns) {
    return panel_of<along>(columns, std::make_integer_sequence<int, kTileColumns>());
}

using Tile = void(int depth, Part a, Part b, float alpha, float beta, Target c, Near& near, int rows, float* strip);

template <Along along, bool deep, bool packs, int... less>
Tile* tile_of(int columns, std::integer_sequence<int, less...>) {
    static constexpr Tile* kTiles[] = {tile<2, less + 1, true, along, deep, packs>...};
    return kTiles[columns - 1];
}

template <Along along, bool deep, bool packs = false>
Tile* tile_of(int columns) {
    if constexpr (!kTilesAlone) return nullptr;
    else return tile_of<along, deep, packs>(columns, std::make_integer_sequence<int, kTileColumns>());
}

// Strip after strip, each `rows` by `depth`, the last perhaps of fewer rows
struct Packed {
    float* data;
    int rows, depth;
    float* strip(int row) const { return data + int64_t(row) * depth; }
    Part operator[](int row) const { return {strip(row), rows}; }
};

template <Along along, Before before, int... less>
void add_strips_of(int columns, int strips, int depth, const Packed& a, Part b, const float& beta, Target c, Near& near,
                   std::integer_sequence<int, less...>) {
    static constexpr AddStrips* kAdds[] = {add_strips<2, less + 1, along, before, true>...};
    kAdds[columns - 1](strips, int64_t(kStripRows) * depth, depth, a[0], b, beta, c, near);
}

// C ← A B + β C on all rows of a panel, A being packed. One call for all strips is worth a tenth of 64 steps, and a fiftieth of
// 256 and more (AVX2, Zen 3, steps of W6 and W1 by turns with a call for each: 1.02 to 1.05 and 1.0 to 1.02 times as fast).
template <Along along>
void panel_of_strips(int columns, int rows, const Packed& a, Part b, float beta, Target c, Near& near) {
    const auto widths = std::make_integer_sequence<int, kTileColumns>();
    const int strips = rows / kStripRows, done = strips * kStripRows;
    if (beta == 0) add_strips_of<along, Before::kUnread>(columns, strips, a.depth, a, b, beta, c, near, widths);
    else if (beta == 1) add_strips_of<along, Before::kKept>(columns, strips, a.depth, a, b, beta, c, near, widths);
    else add_strips_of<along, Before::kScaled>(columns, strips, a.depth, a, b, beta, c, near, widths);
    if (done < rows)
        panel_of<along>(columns)(rows - done, a.depth, a[done], b, 1, beta, {c.data + done, c.step}, near);
}

// A with its rows contiguous, and `step` from one k to the next
struct Rows {
    const float* a;
    int64_t step;
    bool packed;
    static constexpr bool always_packed = false, packed_meanwhile = kTilesAlone;

    Pieces pieces(Block of) const { return {a + of.k * step + of.first, step, of.rows, of.steps}; }

    void pack(Block of, Packed strips) const {
        const float* from = a + of.k * step + of.first;
        for (int d = 0; d < of.steps; d++, from += step) {
            if (d + kColumnsAhead < of.steps)
                for (int i = 0; i < of.rows; i += kWidth) __builtin_prefetch(from + kColumnsAhead * step + i);
            for (int i = 0; i < of.rows; i += strips.rows)
                for_each_vector(of.rows - i < strips.rows ? of.rows - i : strips.rows, [&](int64_t v, auto load, auto store) {
                    store(strips.data + i * strips.depth + d * strips.rows + v, load(from + i + v));
                });
        }
    }
};

// A with k contiguous, and `step` from one of its rows to the next
struct Columns {
    const float* a;
    int64_t step;
    int all;  // its rows
    static constexpr bool always_packed = true, packed_meanwhile = false;

    Pieces pieces(Block of) const { return {a + of.first * step + of.k, step, of.steps, of.rows}; }

    void pack(Block of, Packed strips) const {
        for (int i = 0; i < of.rows; i += kWidth) {
            const bool more = of.first + i + kWidth < all;  // what lies behind the last may be another thread's
            const int64_t ahead = kWidth == 8 && more ? kWidth * step : kVectorsAhead * kWidth;
            float* to = strips.data + i / strips.rows * strips.rows * strips.depth + i % strips.rows;
            const float* from = a + (of.first + i) * step + of.k;
            const int rows = of.rows - i < kWidth ? of.rows - i : kWidth;
            for (int d = 0; d < of.steps; d += kWidth, from += kWidth, to += kWidth * strips.rows) {
                const int steps = of.steps - d < kWidth ? of.steps - d : kWidth;
                Vec x[kWidth];
                if (rows == kWidth && steps == kWidth) {
                    load_transposed(from, step, x);
                } else {
#pragma GCC unroll 16
                    for (int r = 0; r < kWidth; r++) x[r] = r < rows ? load(from + r * step, steps) : Vec{};
                    transpose(x);
                }
#pragma GCC unroll 16
                for (int r = 0; r < kWidth; r++) __builtin_prefetch(from + r * step + ahead);
#pragma GCC unroll 16
                for (int r = 0; r < kWidth; r++)
                    if (r < steps) store(to + r * strips.rows, x[r]);
            }
        }
    }
};

// Of so few columns B stays near, and A, in place, is read once: a strip for all panels, not a panel for all strips
// (kernels_bench 1024x10x256 30x10x10, AVX2: dW is 1.03 to 1.1 times as fast; AVX-512, of 13 columns and more, not measured).
constexpr int kLeastByStrips = kTileColumns + 1, kMostByStrips = 16;

inline void by_strips(int rows, int columns, int depth, Part a, Part b, float alpha, float beta, Target c, Near& near) {
    const int panels = parts(columns, kTileColumns), narrow = columns / panels, wide = columns % panels;  // so many of one more
    Tile* const tiles[] = {tile_of<Along::kColumns, false>(narrow), tile_of<Along::kColumns, false>(narrow + (wide > 0))};
    Panel* const rests[] = {panel_of<Along::kColumns>(narrow), panel_of<Along::kColumns>(narrow + (wide > 0))};
    const bool more = any(near);
    for (; rows > 0; rows -= kStripRows, a.data += kStripRows, c.data += kStripRows) {
        Part some = b;
        Target to = c;
        for (int p = 0; p < panels; p++) {
            const int width = narrow + (p < wide);
            if (rows >= kStripRows)
                tiles[p < wide](depth, a, some, alpha, beta, to, near, kStripRows, nullptr);
            else
                rests[p < wide](rows, depth, a, some, alpha, beta, to, near);
            if (more) bring(near);
            some.data += width;
            to.data += width * to.step;
        }
    }
}

// αB is laid out by panels of kTileColumns, or one fewer; B is contiguous along its columns. So much finds a place behind the
// strips, with a vector to spare for the last store.
constexpr int kLaidFloats = kStripsOfThread - kStripFloats - kWidth;

inline void lay_out(int columns, int depth, float alpha, Part b, float* to) {
    for (int n = parts(columns, kTileColumns), p = 0; p < n; p++) {
        const int first = part(columns, p, n), width = part(columns, p + 1, n) - first;
        for (int k = 0; k < depth; k++, to += width)
            for (int j = 0; j < width; j += kWidth) {
                const int left = columns - first - j;
                const float* from = b.data + k * b.step + first + j;
                store(to + j, (left < kWidth ? load(from, left) : load(from)) * alpha);  // what is too much, the next overwrites
            }
    }
}

// How a product is cut where A is packed: its rows into groups of strips, the columns of B into panels, the depth into blocks
struct Cut {
    int strip_rows, group_rows, panel_columns, blocks;
    float* strips;          // where they are packed
    float* copy = nullptr;  // where panels of B are copied, if they are
};

template <Along along>
Cut cut(int rows, int columns, int depth, int64_t b_step, bool is_missing, float* stack) {
    const bool tall = by_halves();
    const int strip_rows = tall ? kTallRows : kStripRows, panel_columns = tall ? kTallColumns : kTileColumns;
    const bool large = is_missing || int64_t(columns) * depth > kLargeB;
    const bool large_c = along == Along::kColumns && int64_t(rows) * columns > kLargeB;
    const bool grouped = large || (kTilesAlone && !tall && int64_t(rows) * depth >= kGroupedA);
    float* const memory = grouped || large_c || along == Along::kPanels || depth > kStackDepth ? strips_of_thread() : nullptr;
    if (memory == nullptr) return {kStripRows, kStripRows, kTileColumns, parts(depth, kStackDepth), stack};
    const bool rarely = tall && large && along == Along::kColumns;  // B is read
    const int groups = rarely ? kTallGroups : 1, least = grouped ? groups * kStrips * kStripRows : strip_rows;
    const int wanted = large_c || along == Along::kPanels ? kGroupFloats / depth / strip_rows * strip_rows : 0;
    const int group_rows = wanted > least ? wanted : least;
    float* const copy = rarely && b_step % kOneSet == 0 ? memory + kStripFloats : nullptr;
    return {strip_rows, group_rows, panel_columns, parts(depth, kMostDepth / groups), memory, copy};
}

// C ← α A B + β C, A being read where it is, panel by panel. The tail is that of multiply().
template <Along along, class Tail>
void multiply_in_place(int rows, int columns, int depth, float alpha, Part a, Part b, float beta, Target c, Near& near,
                       Tail tail) {
    constexpr Along of_panel = along == Along::kDepth ? along : Along::kColumns;
    if (columns <= kTileColumns && depth <= kLeastDepth) {  // tiny products feel every instruction
        panel_of<of_panel>(columns)(rows, depth, a, b, alpha, beta, c, near);
        return tail(0, 0, rows, columns);
    }
    const int blocks = parts(depth, block_depth(rows)), panels = parts(columns, by_halves() ? kTallColumns : kTileColumns);
    if constexpr (along == Along::kColumns && kTilesAlone)
        if (columns >= kLeastByStrips && columns <= kMostByStrips && blocks == 1 && tiles_alone()) {
            by_strips(rows, columns, depth, a, b, alpha, beta, c, near);
            return tail(0, 0, rows, columns);
        }
    const bool small = int64_t(rows) * columns <= kSmallC;
    for (int n = 0; n < blocks; n++) {
        const int k = part(depth, n, blocks), steps = part(depth, n + 1, blocks) - k;
        for (int p = 0; p < panels; p++) {
            const int j = part(columns, p, panels), width = part(columns, p + 1, panels) - j;
            const float* from = b.data + (along == Along::kDepth ? k + j * b.step : k * b.step + j);
            panel_of<of_panel>(width)(rows, steps, {a.data + k * a.step, a.step}, {from, b.step}, alpha, n == 0 ? beta : 1,
                                      {c.data + j * c.step, c.step}, near);
            if (n + 1 == blocks && !small) tail(0, j, rows, width);
        }
    }
    if (small) tail(0, 0, rows, columns);
}

// C ← α A B + β C, and tail(i, j, n, m) on the n rows from i of the m columns from j, on every element once, while it is near.
// `last` lies as C does, and is what a tile reads or writes last: C, or what its tail reads.
template <Along along, class Operand, class Tail>
void multiply(int rows, int columns, int depth, float alpha, const Operand& a, Part b, float beta, Target c, Part last,
              Ahead& ahead, Tail tail) {
    constexpr Along of_panel = along == Along::kDepth ? along : Along::kColumns;
    Near near = {{}, {}, ahead};
    if constexpr (!Operand::always_packed && along != Along::kPanels)
        if (!a.packed) return multiply_in_place<along>(rows, columns, depth, alpha, {a.a, a.step}, b, beta, c, near, tail);
    alignas(64) float stack[kStackFloats];
    const auto [strip_rows, group_rows, panel_columns, blocks, strips, copy] =
        cut<along>(rows, columns, depth, b.step, ahead.missing != nullptr, stack);
    const bool alone = tiles_alone(), packs_meanwhile = Operand::packed_meanwhile && alone;
    const bool small = int64_t(rows) * columns <= kSmallC;
    const bool far = strip_rows == kTallRows && int64_t(rows) * columns > kLargeB;  // than the level-2 cache, C and A may be
    const int panels = parts(columns, panel_columns), all = parts(rows, group_rows) * blocks;
    const auto column = [=](int p) { return part(columns, p < panels ? p : panels, panels); };
    const auto block = [=](int n) {
        const int first = n / blocks * group_rows, k = part(depth, n % blocks, blocks);
        return Block{first, rows - first < group_rows ? rows - first : group_rows, k, part(depth, n % blocks + 1, blocks) - k};
    };
    for (int n = 0; n < all; n++) {
        const auto [first, height, k, steps] = block(n);
        const Packed packed = {strips, strip_rows, steps};
        const int meanwhile = packs_meanwhile ? height / kStripRows * kStripRows : 0;  // so many rows
        if (meanwhile < height)
            a.pack({first + meanwhile, height - meanwhile, k, steps}, {packed.strip(meanwhile), strip_rows, steps});
        near.strips = far && n + 1 < all ? a.pieces(block(n + 1)) : Pieces{};
        for (int p = 0, copied = 0; p < panels; p++) {
            const int j = column(p), width = column(p + 1) - j;
            if (ahead.missing != nullptr && n == 0) gather_columns(*ahead.missing, j, width);
            Part some = along == Along::kDepth     ? Part{b.data + k + j * b.step, b.step}
                        : along == Along::kColumns ? Part{b.data + k * b.step + j, b.step}
                                                   : Part{b.data + int64_t(j) * depth + k * width, width};
            if constexpr (along == Along::kColumns)
                if (copy != nullptr) {
                    if (p % kPanelsCopied == 0) {
                        const Block rows_of_b = {j, column(p + kPanelsCopied) - j, k, steps};
                        Rows{b.data, b.step, true}.pack(rows_of_b, {copy, kCopiedColumns, steps});
                        copied = j;
                    }
                    some = {copy + j - copied, kCopiedColumns};
                }
            const float gamma = k == 0 ? beta : 1;
            const bool packs = packs_meanwhile && p == 0;
            if constexpr (kTilesAlone && along != Along::kColumns)
                if (alone && alpha == 1 && !packs) {
                    Pieces at_end = {last.data + j * last.step + first, last.step, height, width};
                    if (last.data != c.data && k + steps == depth) bring(at_end, height * width);
                    panel_of_strips<of_panel>(width, height, packed, some, gamma, {c.data + j * c.step + first, c.step}, near);
                    if (k + steps == depth && !small) tail(first, j, height, width);
                    continue;
                }
            Tile* const whole = packs ? tile_of<of_panel, true, true>(width) : tile_of<of_panel, true>(width);
            for (int i = first, end = first + height; i < end; i += strip_rows) {
                const int rows_of_strip = end - i < strip_rows ? end - i : strip_rows;
                const Part in_place = {a.a + k * a.step + i, a.step}, strip = packed[i - first];
                const Target c_of_strip = {c.data + j * c.step + i, c.step};
                Pieces at_end = {last.data + j * last.step + i, last.step, rows_of_strip, width};
                if (far) near.tile = at_end;
                if (alone && rows_of_strip == kStripRows) {
                    if (last.data != c.data && k + steps == depth) bring(at_end, width);  // C, the tile itself asks for
                    whole(steps, packs ? in_place : strip, some, alpha, gamma, c_of_strip, near, kStripRows,
                          packs ? packed.strip(i - first) : nullptr);
                    if (any(near)) bring(near);
                } else {
                    panel_of<of_panel>(width)(rows_of_strip, steps, strip, some, alpha, gamma, c_of_strip, near);
                }
            }
            if (k + steps == depth && !small) tail(first, j, height, width);
        }
    }
    if (small) tail(0, 0, rows, columns);
}

// Z = WᵀA of few samples, whose A and Z are less to transpose than W: A is packed, in strips of samples, W is read where it is,
// from end to end, as B is by multiply(), and C is Zᵀ, kept until its rows make whole vectors of Z's columns.
constexpr int kSamplesOfGroup = kStrips * kStripRows, kUnitsOfGroup = 4 * kTileColumns;
static_assert(kUnitsOfGroup % kWidth == 0);

// Samples of up to 16 KB are packed to the stack: beside them lie as much of Zᵀ, by vectors of 512 bits 24 KB, and the 25 KB of
// whoever runs a program.
constexpr int kSamplesOnStack = 4 * 1024;

// tail(k, n, zt) on the n units from k on: rows of Zᵀ, kSamplesOfGroup apart. Behind them can be read as many as fill a vector,
// of anything.
template <class Tail>
void multiply_by_samples(int in, int units, int m, const float* w, const float* a, Ahead& ahead, Tail tail) {
    alignas(64) float stack[kSamplesOnStack], zt[kUnitsOfGroup * kSamplesOfGroup];
    const int strips = parts(m, kStripRows);
    const Packed packed = {in * strips * kStripRows <= kSamplesOnStack ? stack : strips_of_thread(), kStripRows, in};
    Columns{a, in, m}.pack({0, m, 0, in}, packed);
    Near near = {{}, {}, ahead};
    for (int first = 0, some; first < units; first += some) {
        some = units - first < kUnitsOfGroup ? units - first : kUnitsOfGroup;
        for (int n = parts(some, kTileColumns), p = 0; p < n; p++) {
            const int k = part(some, p, n), width = part(some, p + 1, n) - k;
            const Part columns = {w + int64_t(first + k) * in, in};
            const Target c = {zt + k * kSamplesOfGroup, kSamplesOfGroup};
            panel_of_strips<Along::kDepth>(width, strips * kStripRows, packed, columns, 0, c, near);
        }
        tail(first, some, zt);
    }
}

// Z = WᵀA + b 1ᵀ on a tile: the sums of vectors of products start at b and run along k; they are added up four at a time.
// Meanwhile what comes next is brought near.
template <int units, int samples>
void dots(int in, const float* w, const float* b, const float* a, float* z, int64_t z_step, Ahead& ahead) {
    constexpr int kSums = samples * units, kFours = (kSums + 3) / 4;
    Vec sum[4 * kFours] = {};
    if (b != nullptr)
#pragma GCC unroll 24
        for (int i = 0; i < kSums; i++) sum[i] = Vec{b[i % units]};
    for (int left = in, stretch = any(ahead) ? kStretchOfDots : in; left > 0; left -= stretch) {
        for_each_vector(left < stretch ? left : stretch, [&](int64_t k, auto load, auto) {
            Vec x[samples];
#pragma GCC unroll 8
            for (int s = 0; s < samples; s++) x[s] = load(a + int64_t(s) * in + k);
#pragma GCC unroll 4
            for (int u = 0; u < units; u++) {
                const Vec y = shared<samples>(load(w + int64_t(u) * in + k));
#pragma GCC unroll 8
                for (int s = 0; s < samples; s++) sum[s * units + u] += x[s] * y;
            }
        });
        a += stretch;
        w += stretch;
        bring(ahead, 1);
    }
#pragma GCC unroll 8
    for (int f = 0; f < kFours; f++) {
        const Vec four = sum_four(sum[4 * f], sum[4 * f + 1], sum[4 * f + 2], sum[4 * f + 3]);
        if constexpr (units == 4)
            store_four(z + f * z_step, four);
        else if (z_step == units && 4 * f + 4 <= kSums)  // the sums stand as Z does
            store_four(z + 4 * f, four);
        else
#pragma GCC unroll 4
            for (int i = 0; i < 4; i++)
                if (4 * f + i < kSums) z[(4 * f + i) / units * z_step + (4 * f + i) % units] = four[i];
    }
}

using Dots = void(int in, const float* w, const float* b, const float* a, float* z, int64_t z_step, Ahead& ahead);

template <int units, int... less>
Dots* dots_of(int samples, std::integer_sequence<int, less...>) {
    static constexpr Dots* kDots[] = {dots<units, less + 1>...};
    return kDots[samples - 1];
}

template <int units>
void dots_of_units(int samples, int in, const float* w, const float* b, const float* a, float* z, int64_t z_step,
                   Ahead& ahead) {
    constexpr int kSamples = kWidth == 16 ? 6 : 3;
    for (int n = parts(samples, kSamples), t = 0; t < n; t++) {
        const int s = part(samples, t, n);
        dots_of<units>(part(samples, t + 1, n) - s, std::make_integer_sequence<int, kSamples>())(
            in, w, b, a + int64_t(s) * in, z + s * z_step, z_step, ahead);
    }
}

// Wᵀx + b of some units, each a vector to be added up: vectors of even and of odd numbers are two chains of additions.
template <int units>
inline void sums(int in, const float* w, const float* b, const float* x, Vec* sum) {
    Vec even[units], odd[units] = {};
#pragma GCC unroll 4
    for (int u = 0; u < units; u++) even[u] = b == nullptr ? Vec{} : Vec{b[u]};
    const int pairs = in / (2 * kWidth) * (2 * kWidth), rest = in % kWidth;
    for (int k = 0; k < pairs; k += 2 * kWidth)
#pragma GCC unroll 4
        for (int u = 0; u < units; u++) {
            even[u] += load(w + int64_t(u) * in + k) * load(x + k);
            odd[u] += load(w + int64_t(u) * in + k + kWidth) * load(x + k + kWidth);
        }
    const float *last_w = w + in - rest, *last_x = x + in - rest;
    if (in - pairs >= kWidth) {
#pragma GCC unroll 4
        for (int u = 0; u < units; u++) even[u] += load(w + int64_t(u) * in + pairs) * load(x + pairs);
        if (rest > 0)
#pragma GCC unroll 4
            for (int u = 0; u < units; u++) odd[u] += load(last_w + int64_t(u) * in, rest) * load(last_x, rest);
    } else if (rest > 0)
#pragma GCC unroll 4
        for (int u = 0; u < units; u++) even[u] += load(last_w + int64_t(u) * in, rest) * load(last_x, rest);
#pragma GCC unroll 4
    for (int u = 0; u < units; u++) sum[u] = even[u] + odd[u];
}

// z = Wᵀx + b for one sample, in one order of additions whatever the units.
//
// Four units side by side are eight chains of additions: up to 2 times as fast as by dots(), by AVX2 and without (Zen 3,
// kernels_bench 3x64x1 8x100x1 24x24x1 64x256x1 128x128x1 784x10x1 8192x64x1). By AVX2 a W that the level-1 cache does not hold
// is read by vectors in one cache line each, wherever W begins, if its columns are whole vectors long (1.1 to 1.25 times as fast,
// 784x128x1 256x256x1 1024x1024x1). By vectors of 16 such a W is read along memory, unit after unit, by one and the same pair of
// instructions: where there were one for each of four columns, W would come out of the level-2 cache with two thirds of the speed
// (Zen 5; kernels_bench 256x256x1 784x128x1 1024x1024x1). But where a processor loads a vector of 16 a cycle, not two, x must
// serve four units (Zen 4: 1.1 to 1.3 times as fast).
constexpr bool kByLines = kWidth >= 8;                // load(p, 0) of four would read four
constexpr int kLeastSingle = kWidth == 16 ? 256 : 1;  // inputs; fewer were not measured by vectors of 16,
constexpr int kMostAlong = 4 * 1024;                  // nor more; and the copy of x would take too much of the stack
constexpr int kNearWeights = 8 * 1024;                // 32 KB
inline bool side_by_side() { return kWidth < 16 || halves_vectors(); }

inline bool goes_along(int in, int out) {
    return int64_t(in) * out > kNearWeights && in <= kMostAlong && (in % kWidth == 0 || !side_by_side());
}

// Wᵀx + b of some units that are whole vectors long: read by vectors in one cache line each, if of a single one, while the next
// unit's come near (up to a fifth faster). W and x lie `skew` floats behind the start of such a vector, so lane
// (i + skew) % kWidth sums what lane i of sums() does, in the same order (even and odd change places where it wraps); and
// sum_four() adds lanes that are kWidth / 2, …, 2 and 1 apart, so that the sums are the same to the last bit.
template <int units>
inline void sums_of_lines(int in, int skew, const float* w, const float* b, const float* x, Vec* sum) {
    w -= skew;
    x -= skew;
    Vec even[units], odd[units] = {};
    const auto add = [&](Vec* sums, int k, auto load) {
        const Vec y = load(x + k);
#pragma GCC unroll 4
        for (int u = 0; u < units; u++) sums[u] += load(w + int64_t(u) * in + k) * y;
    };
    const auto whole = [](const float* p) { return load(p); };
    const auto last = [skew](const float* p) { return load(p, skew); };
#pragma GCC unroll 4
    for (int u = 0; u < units; u++) {
        const Vec first = b == nullptr ? Vec{} : broadcast(b[u]);
        even[u] = lane_numbers() == skew ? first : Vec{};
    }
    add(even, 0, [skew](const float* p) { return load_from(p, skew); });
    int k = kWidth;
    for (; k + 2 * kWidth <= in; k += 2 * kWidth) {
        add(odd, k, whole);
        add(even, k + kWidth, whole);
        if constexpr (units == 1) {
            __builtin_prefetch(w + in + k);
            __builtin_prefetch(w + in + k + kWidth);
        }
    }
    if (k < in) {
        add(odd, k, whole);
        add(even, in, last);
    } else {
        add(odd, in, last);
    }
#pragma GCC unroll 4
    for (int u = 0; u < units; u++) sum[u] = even[u] + odd[u];
}

inline void dots_along(int in, int out, const float* w, const float* b, const float* x, float* z) {
    const bool alike = in % kWidth == 0;  // all columns of W have one skew
    const int skew = alike ? skew_of(w) : 0;
    alignas(64) float copy[kMostAlong + kWidth];
    if (skew_of(x) != skew) {
        for_each_vector(in, [&](int64_t k, auto load, auto store) { store(copy + skew + k, load(x + k)); });
        x = copy + skew;
    }
    const auto b_of = [b](int u) { return b == nullptr ? b : b + u; };
    Vec sum[4] = {};
    int u = 0;
    if (side_by_side())  // then alike, too
        for (; u + 4 <= out; u += 4, w += 4 * int64_t(in)) {
            sums_of_lines<4>(in, skew, w, b_of(u), x, sum);
            store_four(z + u, sum_four(sum[0], sum[1], sum[2], sum[3]));
        }
    for (; u < out; u++, w += in) {
        if (alike) sums_of_lines<1>(in, skew, w, b_of(u), x, sum + u % 4);
        else sums<1>(in, w, b_of(u), x, sum + u % 4);
        if (u % 4 == 3) store_four(z + u - 3, sum_four(sum[0], sum[1], sum[2], sum[3]));
    }
    const Vec four = sum_four(sum[0], sum[1], sum[2], sum[3]);
    for (u = out / 4 * 4; u < out; u++) z[u] = four[u % 4];
}

template <int units>
void dots_near(int in, int out, const float* w, const float* b, const float* x, float* z) {
    for (; out >= units; out -= units, w += int64_t(units) * in, z += units) {
        Vec sum[4] = {};
        sums<units>(in, w, b, x, sum);
        const Vec four = sum_four(sum[0], sum[1], sum[2], sum[3]);
        if constexpr (units == 4)
            store_four(z, four);
        else
            for (int u = 0; u < units; u++) z[u] = four[u];
        if (b != nullptr) b += units;
    }
    if constexpr (units > 1)
        if (out > 0) dots_near<units - 1>(in, out, w, b, x, z);
}

// Z = WᵀA + b 1ᵀ; b may be null
inline void dots(int in, int out, int m, const float* w, const float* b, const float* a, float* z, int64_t z_step,
                 Ahead& ahead) {
    if (m == 1 && in >= kLeastSingle && (kWidth < 16 || in <= kMostAlong)) {
        if constexpr (kByLines)
            if (goes_along(in, out)) return dots_along(in, out, w, b, a, z);
        return dots_near<4>(in, out, w, b, a, z);
    }
    int u = 0;
    for (; u + 4 <= out; u += 4)
        dots_of_units<4>(m, in, w + int64_t(u) * in, b == nullptr ? b : b + u, a, z + u, z_step, ahead);
    w += int64_t(u) * in;
    b = b == nullptr ? b : b + u;
    switch (out - u) {
        case 1: return dots_of_units<1>(m, in, w, b, a, z + u, z_step, ahead);
        case 2: return dots_of_units<2>(m, in, w, b, a, z + u, z_step, ahead);
        case 3: return dots_of_units<3>(m, in, w, b, a, z + u, z_step, ahead);
    }
}

}  // namespace backblas::BACKBLAS_ISA
