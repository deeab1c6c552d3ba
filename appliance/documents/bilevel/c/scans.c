/* Scales a bilevel picture to its place on a grey page.
 *
 * A pixel of the page is the mean of the picture's pixels that it covers, or, where the picture is enlarged, of an
 * area of one picture pixel about its centre. An edge in the picture therefore changes only SHARES pixels of the
 * page; the others repeat the value after the last edge. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* ONE is a whole pixel in shares; SHARES is how many pixels of the page an edge changes at most, at up to twice the
 * size. */
enum { ONE = 256, SHARES = 3 };

/* What an edge of the picture adds to the pixels of the page from ``first`` on; ONE in sum. */
typedef struct {
    int32_t first;
    int32_t shares[SHARES];
} Edge;

/* Share of pixel ``at`` (of ``to`` on the page) that lies behind the edge before pixel ``edge`` (of ``of`` in the
 * picture), in 1/ONE. */
static int behind(ptrdiff_t at, ptrdiff_t to, ptrdiff_t edge, ptrdiff_t of)
{
    if (edge <= 0 || edge >= of)
        return edge <= 0 ? ONE : 0;
    double scale = (double)of / (double)to, covers = scale > 1 ? scale : 1;
    double share = (((double)at + 0.5) * scale + covers / 2 - (double)edge) / covers;
    return share <= 0 ? 0 : share >= 1 ? ONE : (int)(share * ONE + 0.5);
}

static void take_edges(Edge *edges, ptrdiff_t of, ptrdiff_t to)
{
    ptrdiff_t first = 0;
    for (ptrdiff_t edge = 0; edge <= of; edge++) {
        while (first < to && behind(first, to, edge, of) == 0)
            first++;
        edges[edge].first = (int32_t)first;
        for (int share = 0, before = 0; share < SHARES; share++) {
            int now = first + share < to ? behind(first + share, to, edge, of) : ONE;
            edges[edge].shares[share] = share == SHARES - 1 ? ONE - before : now - before;
            before = now;
        }
    }
}

/* Index of the first set bit from the left. At least one must be set. */
static int leftmost_of(uint64_t word)
{
#ifdef __GNUC__
    return __builtin_clzll(word);
#else
    int at = 0;
    for (; !(word >> 63); word <<= 1)
        at++;
    return at;
#endif
}

/* Up to eight octets of a packed row as a word, zeros behind its last. */
static uint64_t word_at(const uint8_t *from, ptrdiff_t octets)
{
    uint64_t word = 0;
    if (octets >= 8)
        for (int at = 0; at < 8; at++)
            word = word << 8 | from[at];
    else
        for (int at = 0; at < 8; at++)
            word = word << 8 | (at < octets ? from[at] : 0);
    return word;
}

/* Sets ``found`` to the pixels before which the colour changes, beginning with paper. Returns their number. */
static ptrdiff_t find_edges(int32_t *found, const uint8_t *row, ptrdiff_t width, uint64_t paper)
{
    ptrdiff_t octets = (width + 7) / 8, count = 0;
    uint64_t last = 0;
    for (ptrdiff_t at = 0; at < octets; at += 8) {
        uint64_t word = word_at(row + at, octets - at) ^ paper, edges = word ^ (word >> 1 | last << 63);
        last = word & 1;
        while (edges) {
            int bit = leftmost_of(edges);
            if (8 * at + bit >= width)
                return count;
            found[count++] = (int32_t)(8 * at + bit);
            edges &= ~(UINT64_C(1) << 63 >> bit);
        }
    }
    return count;
}

static void add_edges(int32_t *sums, const Edge *edges, const int32_t *found, ptrdiff_t count, int32_t share)
{
    for (ptrdiff_t at = 0; at < count; at++, share = -share) {
        const Edge *edge = edges + found[at];
        for (int next = 0; next < SHARES; next++)
            sums[edge->first + next] += share * edge->shares[next];
    }
}

WIDE static void take_greys(uint8_t *restrict grey, const int32_t *restrict inks, ptrdiff_t count)
{
    for (ptrdiff_t x = 0; x < count; x++)
        grey[x] = (uint8_t)(255 - (((uint32_t)inks[x] * 255 + ONE * ONE / 2) >> 16));
}

/* Draws row ``y`` of ``box``, where there is ink. */
static void place_row(uint8_t *grey, const Picture *picture, const Edge *edges, int32_t *sums, int32_t *found, Box box,
                      Box within, ptrdiff_t y)
{
    ptrdiff_t across = box.right - box.left, down = box.below - box.top, row = 0, any = 0;
    double scale = (double)picture->size.rows / (double)down;
    row = (ptrdiff_t)((double)y * scale) - 1;
    row = row < 0 ? 0 : row;
    memset(sums, 0, (size_t)(across + SHARES) * sizeof *sums);
    for (int left = ONE; left > 0 && row < picture->size.rows; row++) {
        int below = behind(y, down, row + 1, picture->size.rows);
        if (below == left)
            continue; /* no part of this row is in the page's row */
        ptrdiff_t count = find_edges(found, picture->bits + row * picture->stride, picture->size.width, picture->paper);
        add_edges(sums, edges, found, count, left - below);
        any |= count;
        left = below;
    }
    if (!any)
        return;
    int32_t sum = 0;
    for (ptrdiff_t x = 0; x < across; x++)
        sums[x] = sum += sums[x];
    take_greys(grey + within.left, sums + (within.left - box.left), within.right - within.left);
}

int place_picture(uint8_t *grey, Size page, const Picture *picture, Box box, Box within)
{
    ptrdiff_t across = box.right - box.left;
    Edge *edges = malloc((size_t)(picture->size.width + 1) * sizeof *edges);
    int32_t *found = malloc((size_t)(picture->size.width + 1) * sizeof *found);
    int32_t *sums = malloc((size_t)(across + SHARES) * sizeof *sums);
    int failed = edges == NULL || found == NULL || sums == NULL;
    memset(grey, 255, (size_t)(page.width * page.rows));
    if (!failed) {
        take_edges(edges, picture->size.width, across);
        for (ptrdiff_t y = within.top; y < within.below; y++)
            place_row(grey + y * page.width, picture, edges, sums, found, box, within, y - box.top);
    }
    free(edges);
    free(found);
    free(sums);
    return failed ? -1 : 0;
}

void turn_picture(uint8_t *to, const Picture *picture, int quarters)
{
    ptrdiff_t width = picture->size.width, rows = picture->size.rows, octets = (width + 7) / 8;
    ptrdiff_t stride = ((quarters % 2 ? rows : width) + 7) / 8;
    memset(to, 0, (size_t)(stride * (quarters % 2 ? width : rows)));
    for (ptrdiff_t y = 0; y < rows; y++)
        for (ptrdiff_t at = 0; at < octets; at += 8)
            for (uint64_t word = word_at(picture->bits + y * picture->stride + at, octets - at) ^ picture->paper;
                 word;) {
                int bit = leftmost_of(word);
                ptrdiff_t x = 8 * at + bit;
                ptrdiff_t left = quarters < 2 ? rows - 1 - y : y, top = quarters < 2 ? x : width - 1 - x;
                word &= ~(UINT64_C(1) << 63 >> bit);
                if (x >= width)
                    break;
                if (quarters == 2) {
                    left = width - 1 - x;
                    top = rows - 1 - y;
                }
                to[top * stride + left / 8] |= (uint8_t)(0x80 >> left % 8);
            }
}
