/* Counts what each cell of a page has: depths, pale and deep pixels, sizes. */
#include "security_cells.h"

#include <stdlib.h>
#include <string.h>

void take_depths(const Cells *cells, const Mask *marks, const uint8_t *depth)
{
    for (ptrdiff_t y = 0; y < marks->size.rows; y++)
        for (ptrdiff_t word = 0; word < marks->stride; word++)
            for (uint64_t left = row_of(marks, y)[word]; left; left &= left - 1) {
                ptrdiff_t x = word * WORD + first_of(left);
                Cell *cell = &cells->cell[y / cells->rows * cells->size.width + x / TILE];
                cell->depths[depth[y * marks->size.width + x] / DEPTH_STEP]++;
            }
}

void count_in_cells(const Cells *cells, const Mask *mask, size_t offset)
{
    for (ptrdiff_t y = 0; y < mask->size.rows; y++)
        for (ptrdiff_t column = 0; column < cells->size.width; column++) {
            ptrdiff_t word = column * TILE / WORD, shift = column * TILE % WORD;
            uint64_t bits = row_of(mask, y)[word] >> shift;
            if (shift > WORD - TILE && word + 1 < mask->stride)
                bits |= row_of(mask, y)[word + 1] << (WORD - shift);
            Cell *cell = &cells->cell[y / cells->rows * cells->size.width + column];
            uint16_t *count = (uint16_t *)((uint8_t *)cell + offset);
            *count = (uint16_t)(*count + bits_in(bits & ((UINT64_C(1) << TILE) - 1)));
        }
}

/* Depths of cells up to WINDOW away form two groups, pale and deep, when the mean of one is APART percent of the
 * other's. Otherwise all are pale if their mean is below DEEP, else none. */
enum { WINDOW = 2, APART = 200, DEEP = 100 };

/* Depth that separates the two groups best (Otsu's method); 255 if all are pale, 0 if none is. */
static uint8_t split_of(const uint32_t depths[DEPTHS])
{
    uint64_t count = 0, sum = 0, below = 0, sum_below = 0;
    double best = 0;
    int split = 0, apart = 0;
    for (int each = 0; each < DEPTHS; each++) {
        count += depths[each];
        sum += (uint64_t)each * depths[each];
    }
    for (int each = 0; each < DEPTHS - 1; each++) {
        if (depths[each] == 0)
            continue;
        below += depths[each];
        sum_below += (uint64_t)each * depths[each];
        uint64_t above = count - below, sum_above = sum - sum_below;
        if (above == 0)
            break;
        double between = (double)(sum_above * below) - (double)(sum_below * above);
        between *= between / (double)(below * above);
        if (between > best) {
            best = between;
            apart = sum_above * below * 100 >= sum_below * above * APART;
            split = (each + 1) * DEPTH_STEP;
        }
    }
    return (uint8_t)(apart ? split : sum * DEPTH_STEP < count * DEEP ? 255 : 0);
}

WIDE static void add_cell_depths(uint32_t *restrict to, const uint16_t *restrict depths)
{
    for (int each = 0; each < DEPTHS; each++)
        to[each] += depths[each];
}

WIDE static void add_depths(uint32_t *restrict to, const uint32_t *restrict depths)
{
    for (int each = 0; each < DEPTHS; each++)
        to[each] += depths[each];
}

/* First by the depths of one column, then of all. */
int settle_splits(const Cells *cells)
{
    ptrdiff_t width = cells->size.width;
    uint32_t(*columns)[DEPTHS] = malloc((size_t)width * sizeof *columns);
    int failed = columns == NULL;
    for (ptrdiff_t y = 0; y < cells->size.rows && !failed; y++) {
        memset(columns, 0, (size_t)width * sizeof *columns);
        for (ptrdiff_t x = 0; x < width; x++) {
            Box around = cells_around(cells, x, y, WINDOW);
            for (ptrdiff_t r = around.top; r < around.below; r++)
                add_cell_depths(columns[x], cells->cell[r * width + x].depths);
        }
        for (ptrdiff_t x = 0; x < width; x++) {
            uint32_t depths[DEPTHS] = {0};
            Box around = cells_around(cells, x, y, WINDOW);
            for (ptrdiff_t c = around.left; c < around.right; c++)
                add_depths(depths, columns[c]);
            cells->cell[y * width + x].split = split_of(depths);
        }
    }
    free(columns);
    return failed ? -1 : 0;
}

WIDE static void mark_less(uint8_t *restrict line, const uint8_t *restrict depth, const uint8_t *restrict than,
                           ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = depth[x] < than[x];
}

int where_less(const Cells *cells, const Mask *less, const uint8_t *depth, size_t offset)
{
    Size size = less->size;
    uint8_t *line = new_line(size), *than = malloc((size_t)size.width);
    int failed = line == NULL || than == NULL;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++) {
        const Cell *row = cells->cell + y / cells->rows * cells->size.width;
        for (ptrdiff_t x = 0; x < size.width && y % cells->rows == 0; x++)
            than[x] = ((const uint8_t *)&row[x / TILE])[offset];
        mark_less(line, depth + y * size.width, than, size.width);
        take_line(less, y, line);
    }
    free(line);
    free(than);
    return failed ? -1 : 0;
}

/* Sizes of letters in pixels at 204 x 196 dpi. What is at most LETTER_LEAST in both directions is a dot. */
enum { LETTER_LEAST = 8, LETTER_HIGH = 60, LETTER_WIDE = 90, LETTER_NARROW = 3 };

/* In 32 bits, as the noise of a page has some hundred thousand runs. */
typedef struct {
    int32_t root, y, left, right;
    struct {
        int32_t left, top, right, below;
    } box; /* at the root: of all connected runs */
} Run;

static ptrdiff_t root_of(Run *runs, ptrdiff_t at)
{
    while (runs[at].root != at)
        at = runs[at].root = runs[runs[at].root].root;
    return at;
}

static void join_runs(Run *runs, ptrdiff_t one, ptrdiff_t other)
{
    one = root_of(runs, one);
    other = root_of(runs, other);
    Run *to = &runs[one], *from = &runs[other];
    from->root = (int32_t)one;
    to->box.left = from->box.left < to->box.left ? from->box.left : to->box.left;
    to->box.top = from->box.top < to->box.top ? from->box.top : to->box.top;
    to->box.right = from->box.right > to->box.right ? from->box.right : to->box.right;
    to->box.below = from->box.below > to->box.below ? from->box.below : to->box.below;
}

/* Runs of ``mask`` with connected ones joined; sets ``count``. Returns NULL without memory. */
static Run *take_runs(const Mask *mask, ptrdiff_t *count)
{
    ptrdiff_t room = 0, above = 0, begun = 0;
    Run *runs = NULL;
    *count = 0;
    for (ptrdiff_t y = 0; y < mask->size.rows; y++) {
        ptrdiff_t end = *count;
        above = begun;
        begun = end;
        if (room < end + mask->size.width) {
            room = 2 * room + mask->size.width;
            Run *more = realloc(runs, (size_t)room * sizeof *runs);
            if (more == NULL) {
                free(runs);
                return NULL;
            }
            runs = more;
        }
        for (ptrdiff_t x = next_marked(mask, y, 0), right; x < mask->size.width; x = next_marked(mask, y, right)) {
            ptrdiff_t at = (*count)++;
            right = next_unmarked(mask, y, x);
            int32_t row = (int32_t)y, left = (int32_t)x, end_of_run = (int32_t)right;
            runs[at] = (Run){(int32_t)at, row, left, end_of_run, {left, row, end_of_run, row + 1}};
            while (above < end && runs[above].right < x)
                above++;
            for (ptrdiff_t each = above; each < end && runs[each].left <= right; each++)
                join_runs(runs, each, at);
        }
    }
    return runs;
}

int count_sizes(const Cells *cells, const Mask *mask)
{
    ptrdiff_t count;
    Run *runs = take_runs(mask, &count);
    for (ptrdiff_t at = 0; at < count && runs != NULL; at++) {
        const Run *of = &runs[root_of(runs, at)];
        ptrdiff_t down = (of->box.below - of->box.top) * TILE / cells->rows, across = of->box.right - of->box.left;
        Cell *cell = &cells->cell[runs[at].y / cells->rows * cells->size.width + runs[at].left / TILE];
        uint16_t length = (uint16_t)(runs[at].right - runs[at].left);
        if (down <= LETTER_LEAST && across <= LETTER_LEAST)
            cell->dots = (uint16_t)(cell->dots + length);
        else if (down >= LETTER_LEAST && down <= LETTER_HIGH && across >= LETTER_NARROW && across <= LETTER_WIDE)
            cell->type = (uint16_t)(cell->type + length);
    }
    free(runs);
    return runs == NULL ? -1 : 0;
}
