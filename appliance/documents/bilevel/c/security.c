/* Removes security grounds of certificates, prescriptions and cheques from the ink: pale fine lines, dots or
 * microprint that cover a part of the page and have type on them. They would drown the type and cost many octets. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* A quick test, on every EVERYth row, whether a page may have a security ground. It may when LEAST_TILES tiles
 * (LEAST_TILES_KNOWN where type is known, as such a page comes in parts) have no pixel of depth LEAST_DEEP, and they
 * and the eight around them are at least LOOKED_AT_PERCENT pale: from depth LEAST_PALE, or PALE_TIMES the noise, to
 * below LEAST_DEEP. */
enum { LEAST_TILES = 240, LEAST_TILES_KNOWN = 40, LOOKED_AT_PERCENT = 6, LEAST_PALE = 15, PALE_TIMES = 3,
       LEAST_DEEP = 100, EVERY = 4 };

WIDE static void count_row(uint16_t *restrict pale, uint16_t *restrict deep, const uint8_t *restrict depth,
                           uint8_t least, ptrdiff_t tiles)
{
    for (ptrdiff_t tile = 0; tile < tiles; tile++, depth += TILE) {
        uint8_t of_pale = 0, of_deep = 0;
        for (int x = 0; x < TILE; x++) {
            of_pale += (depth[x] >= least) & (depth[x] < LEAST_DEEP);
            of_deep += depth[x] >= LEAST_DEEP;
        }
        pale[tile] = (uint16_t)(pale[tile] + of_pale);
        deep[tile] = (uint16_t)(deep[tile] + of_deep);
    }
}

int may_have_security_ground(const Band *band, const uint8_t *depth)
{
    int rows = rows_of_tile(band->ground->y_dpi), looked_at = rows / EVERY * TILE;
    uint8_t least = (uint8_t)beyond_noise(band, LEAST_PALE, PALE_TIMES);
    Size size = {band->size.width / TILE, band->size.rows / rows};
    size_t count = (size_t)(size.width * size.rows);
    uint16_t *pale = calloc(2 * count + 1, sizeof *pale), *deep = pale + count;
    uint8_t *dense = malloc(2 * count + 1), *all = dense + count;
    int failed = pale == NULL || dense == NULL, tiles = 0;
    for (ptrdiff_t y = 0; y < size.rows * rows && !failed; y += EVERY) {
        ptrdiff_t at = y / rows * size.width;
        count_row(pale + at, deep + at, depth + y * band->size.width, least, size.width);
    }
    for (ptrdiff_t at = 0; at < (ptrdiff_t)count && !failed; at++) {
        ptrdiff_t x = at % size.width * TILE + TILE / 2, y = at / size.width * rows + rows / 2;
        int screened = !band->ground->raster && is_marked(&band->photo, x, y);
        dense[at] = pale[at] * 100 >= looked_at * LOOKED_AT_PERCENT && !screened;
    }
    failed = failed || widen_dark(all, dense, size, 3, 3) < 0;
    for (size_t at = 0; at < count && !failed; at++)
        tiles += all[at] && deep[at] == 0;
    free(pale);
    free(dense);
    return failed ? -1 : tiles >= (band->dark_type != NULL ? LEAST_TILES_KNOWN : LEAST_TILES);
}

/* -- cells -------------------------------------------------------------------------------------- */

/* A cell is as large as a tile, but its place is counted from the band's first row. Its histogram has DEPTHS bins. */
enum { DEPTHS = 64, DEPTH_STEP = 256 / DEPTHS };

typedef struct {
    uint16_t depths[DEPTHS];                       /* histogram of the depths of marked pixels */
    uint16_t pale, deep, ring, pale_in_ring, type, dots, straight; /* pixels; the ring lies around deep ones */
    uint8_t split;                                 /* pixels less deep are pale; 0: none, 255: all */
    uint8_t dense;                                 /* there are many pale pixels around */
    uint8_t taken;                                 /* belongs to a region in work, or to one already examined */
    uint8_t below;                                 /* pixels less deep are the security ground; 0: none */
} Cell;

enum { IN_WORK = 1, EXAMINED }; /* taken */

typedef struct {
    Size size;
    int rows; /* rows of pixels in a cell */
    int known; /* the type is known */
    Cell *cell;
} Cells;

/* Box of the cells up to ``away`` cells around one. */
static Box cells_around(const Cells *cells, ptrdiff_t x, ptrdiff_t y, ptrdiff_t away)
{
    return (Box){x < away ? 0 : x - away, y < away ? 0 : y - away,
                 x + away < cells->size.width ? x + away + 1 : cells->size.width,
                 y + away < cells->size.rows ? y + away + 1 : cells->size.rows};
}

static void take_depths(const Cells *cells, const Mask *marks, const uint8_t *depth)
{
    for (ptrdiff_t y = 0; y < marks->size.rows; y++)
        for (ptrdiff_t word = 0; word < marks->stride; word++)
            for (uint64_t left = row_of(marks, y)[word]; left; left &= left - 1) {
                ptrdiff_t x = word * WORD + first_of(left);
                Cell *cell = &cells->cell[y / cells->rows * cells->size.width + x / TILE];
                cell->depths[depth[y * marks->size.width + x] / DEPTH_STEP]++;
            }
}

/* Adds the number of marked pixels in each cell to its count at ``offset``. */
static void count_in_cells(const Cells *cells, const Mask *mask, size_t offset)
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

/* By the depths of the cells around each: first those of one column, then of all.  Returns 0, or -1 without memory. */
static int settle_splits(const Cells *cells)
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

/* Marks in ``less`` where the depth is below the cell's value at ``offset``. */
static int where_less(const Cells *cells, const Mask *less, const uint8_t *depth, size_t offset)
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

/* -- sizes ------------------------------------------------------------------ */

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

/* Adds to each cell the pixels of dots and of things as large as letters. */
static int count_sizes(const Cells *cells, const Mask *mask)
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

/* -- regions ----------------------------------------------------------------------------------------- */

/* A region is connected cells in whose surroundings, up to DENSE_AROUND cells away, DENSE_PERCENT of the pixels are
 * pale. */
enum { DENSE_AROUND = 1, DENSE_PERCENT = 5 };
/* A region is a security ground if it has LEAST_CELLS cells and is one patch, which drawings and maps are not; if it is
 * LEAST_NEAR to MOST_NEAR percent as dense near type as elsewhere (pale type keeps away from dark type); and if at most
 * MOST_STRAIGHT percent of it is straight lines (tables and millimetre paper have more), MOST_STRAIGHT_CLEAR where the
 * type is CLEAR_TIMES percent as deep: flat waves have more than graph paper whose lines are broken by noise. A patch
 * fills LEAST_FILL percent of its bounding box; one of lines (FEW) may be round: ROUND_FILL percent, and LEAST_WITHIN
 * percent of what lies between its outermost cells in each row, and in each column. */
enum { LEAST_CELLS = 100, LEAST_FILL = 80, ROUND_FILL = 55, LEAST_WITHIN = 90, LEAST_NEAR = 60, MOST_NEAR = 160,
       MOST_STRAIGHT = 30, MOST_STRAIGHT_CLEAR = 45, CLEAR_TIMES = 400 };
/* In percent, how many of its cells must have type near, if dots, things as large as letters, or lines are MOSTLY
 * what is pale. A signature over small print and the few names on a map's contours have fewer. Letters of a mean
 * depth below LEAST_LETTERS_DEPTH are the grain of the paper. */
enum { MOSTLY = 50, LEAST_LETTERS_DEPTH = 25, LEAST_TYPED_DOTS = 20, LEAST_TYPED_LETTERS = 40, LEAST_TYPED_LINES = 34 };
/* The mean depth of the type is at least this many percent of the ground's; less where type is known, more where it
 * may be pale type itself: where in percent neither dots are NEARLY_ALL of it nor dots and letters only FEW. */
enum { LEAST_TIMES = 250, LEAST_TIMES_MIXED = 350, LEAST_TIMES_KNOWN = 200, NEARLY_ALL = 90, FEW = 45 };
/* Pixels deeper than this many percent of the ground's mean depth do not belong to it. */
enum { GROUND_TIMES = 170 };

typedef struct {
    Box box; /* in cells */
    uint64_t cells, in_rows, in_columns; /* its cells; with those between them in rows and columns */
    uint64_t typed, pale, deep, ring, pale_in_ring, type, dots, straight, pale_depths, deep_depths;
} Region;

static void add_cell(Region *region, const Cell *cell, ptrdiff_t x, ptrdiff_t y)
{
    Box *box = &region->box;
    *box = (Box){x < box->left ? x : box->left, y < box->top ? y : box->top, x >= box->right ? x + 1 : box->right,
                 y >= box->below ? y + 1 : box->below};
    region->cells++;
    region->typed += cell->split > 0 && cell->split < 255;
    region->pale += cell->pale;
    region->deep += cell->deep;
    region->ring += cell->ring;
    region->pale_in_ring += cell->pale_in_ring;
    region->type += cell->type;
    region->dots += cell->dots;
    region->straight += cell->straight;
    for (int each = 0; each < DEPTHS; each++) {
        uint64_t depths = (uint64_t)cell->depths[each] * (uint64_t)(each * DEPTH_STEP + DEPTH_STEP / 2);
        *(each * DEPTH_STEP < cell->split ? &region->pale_depths : &region->deep_depths) += depths;
    }
}

static uint64_t share_of(uint64_t part, uint64_t of)
{
    return of ? part * 100 / of : 0;
}

/* Number of cells from the first to the last of the region in work in each row of its box, or, if ``down``, in each
 * column. */
static uint64_t count_between(const Cells *cells, Box box, int down)
{
    ptrdiff_t width = cells->size.width, across = box.right - box.left, along = box.below - box.top;
    ptrdiff_t lines = down ? across : along, length = down ? along : across;
    ptrdiff_t step = down ? width : 1, to_next = down ? 1 : width;
    const Cell *line = &cells->cell[box.top * width + box.left];
    uint64_t sum = 0;
    for (ptrdiff_t each = 0; each < lines; each++, line += to_next) {
        ptrdiff_t first = 0, last = length - 1;
        while (first < last && line[first * step].taken != IN_WORK)
            first++;
        while (last > first && line[last * step].taken != IN_WORK)
            last--;
        sum += (uint64_t)(last - first + 1);
    }
    return sum;
}

/* Gathers the region of cell ``members[0]`` and puts the indices of its cells into ``members``. */
static Region take_region(const Cells *cells, ptrdiff_t *members)
{
    Region region = {.box = {cells->size.width, cells->size.rows, 0, 0}};
    ptrdiff_t count = 1;
    cells->cell[members[0]].taken = IN_WORK;
    for (ptrdiff_t next = 0; next < count; next++) {
        ptrdiff_t x = members[next] % cells->size.width, y = members[next] / cells->size.width;
        Box around = cells_around(cells, x, y, 1);
        add_cell(&region, &cells->cell[members[next]], x, y);
        for (ptrdiff_t r = around.top; r < around.below; r++)
            for (ptrdiff_t c = around.left; c < around.right; c++) {
                Cell *cell = &cells->cell[r * cells->size.width + c];
                if (cell->dense && !cell->taken) {
                    cell->taken = IN_WORK;
                    members[count++] = r * cells->size.width + c;
                }
            }
    }
    region.in_rows = count_between(cells, region.box, 0);
    region.in_columns = count_between(cells, region.box, 1);
    for (ptrdiff_t each = 0; each < count; each++)
        cells->cell[members[each]].taken = EXAMINED;
    return region;
}

/* How much deeper the type is, in percent. */
static uint64_t times_of(const Region *region)
{
    return share_of(region->deep_depths * region->pale, region->pale_depths * region->deep);
}

/* How much of its bounding box it fills, in percent. */
static uint64_t fill_of(const Region *region)
{
    Box box = region->box;
    return share_of(region->cells, (uint64_t)((box.right - box.left) * (box.below - box.top)));
}

static int is_round(const Region *region)
{
    return fill_of(region) >= ROUND_FILL && share_of(region->cells, region->in_rows) >= LEAST_WITHIN
           && share_of(region->cells, region->in_columns) >= LEAST_WITHIN;
}

/* A region is tested by the marked pixels of its cells, then by shapes, which take longer to count, then by sizes. */
typedef enum { BY_PIXELS, BY_SHAPES, BY_SIZES } Test;

static int is_ground_by_pixels(const Cells *cells, const Region *region)
{
    return region->cells >= LEAST_CELLS && (fill_of(region) >= LEAST_FILL || is_round(region))
           && share_of(region->typed, region->cells) >= LEAST_TYPED_DOTS
           && times_of(region) >= (cells->known ? LEAST_TIMES_KNOWN : LEAST_TIMES);
}

static int is_ground_by_shapes(const Cells *cells, const Region *region)
{
    uint64_t pixels = region->cells * (uint64_t)(TILE * cells->rows);
    uint64_t near = share_of(region->pale_in_ring * (pixels - region->ring),
                             (region->pale - region->pale_in_ring) * region->ring);
    uint64_t most = times_of(region) >= CLEAR_TIMES ? MOST_STRAIGHT_CLEAR : MOST_STRAIGHT;
    return near >= LEAST_NEAR && near <= MOST_NEAR && share_of(region->straight, region->pale) <= most;
}

static int is_ground_by_sizes(const Cells *cells, const Region *region)
{
    uint64_t typed = share_of(region->dots, region->pale) > MOSTLY   ? LEAST_TYPED_DOTS
                     : share_of(region->type, region->pale) > MOSTLY ? LEAST_TYPED_LETTERS
                                                                     : LEAST_TYPED_LINES;
    int is_grain = typed == LEAST_TYPED_LETTERS && region->pale_depths < region->pale * LEAST_LETTERS_DEPTH;
    int is_plain = share_of(region->dots, region->pale) >= NEARLY_ALL || cells->known;
    int is_clear = share_of(region->dots + region->type, region->pale) <= FEW
                   || (fill_of(region) >= LEAST_FILL && (is_plain || times_of(region) >= LEAST_TIMES_MIXED));
    return !is_grain && is_clear && share_of(region->typed, region->cells) >= typed;
}

static void mark_dense(const Cells *cells)
{
    for (ptrdiff_t at = 0; at < cells->size.width * cells->size.rows; at++) {
        uint32_t pale = 0, of = 0;
        Box around = cells_around(cells, at % cells->size.width, at / cells->size.width, DENSE_AROUND);
        for (ptrdiff_t r = around.top; r < around.below; r++)
            for (ptrdiff_t c = around.left; c < around.right; c++) {
                pale += cells->cell[r * cells->size.width + c].pale;
                of += (uint32_t)(TILE * cells->rows);
            }
        cells->cell[at].dense = pale * 100 >= of * DENSE_PERCENT;
        cells->cell[at].taken = 0;
    }
}

/* Sets ``below`` in the cells of a security ground and those next to them. */
static void take_ground(const Cells *cells, const Region *region, const ptrdiff_t *members)
{
    uint64_t most = region->pale_depths * GROUND_TIMES / 100 / region->pale;
    for (uint64_t each = 0; each < region->cells; each++) {
        Box around = cells_around(cells, members[each] % cells->size.width, members[each] / cells->size.width, 1);
        for (ptrdiff_t r = around.top; r < around.below; r++)
            for (ptrdiff_t c = around.left; c < around.right; c++) {
                Cell *cell = &cells->cell[r * cells->size.width + c];
                cell->below = cell->split < most ? cell->split : (uint8_t)most;
            }
    }
}

/* Number of regions that are security grounds by all tests up to ``last``; -1 without memory. */
static int settle_regions(const Cells *cells, Test last)
{
    int found = 0;
    ptrdiff_t count = cells->size.width * cells->size.rows;
    ptrdiff_t *members = malloc((size_t)count * sizeof *members);
    mark_dense(cells);
    for (ptrdiff_t at = 0; at < count && members != NULL; at++) {
        if (!cells->cell[at].dense || cells->cell[at].taken)
            continue;
        members[0] = at;
        Region region = take_region(cells, members);
        int is_ground = is_ground_by_pixels(cells, &region)
                        && (last < BY_SHAPES || is_ground_by_shapes(cells, &region))
                        && (last < BY_SIZES || is_ground_by_sizes(cells, &region));
        if (is_ground && last == BY_SIZES)
            take_ground(cells, &region, members);
        found += is_ground;
    }
    free(members);
    return members == NULL ? -1 : found;
}

/* The ring lies from RING_FROM / 2 to RING_TO / 2 pixels around deep ones. Runs of STRAIGHT pixels are straight. */
enum { RING_FROM = 7, RING_TO = 15, STRAIGHT = 41 };

static int count_shapes(const Band *band, const Cells *cells, const Mask *pale, const Mask *deep)
{
    enum { RING, SCRATCH, ALL };
    Mask masks[ALL], *ring = masks + RING, *scratch = masks + SCRATCH;
    if (new_masks(masks, ALL, band->size) < 0)
        return -1;
    copy_mask(ring, deep);
    copy_mask(scratch, deep);
    int failed = widen_scaled(band, ring, RING_TO, RING_TO) < 0 || widen_scaled(band, scratch, RING_FROM, RING_FROM) < 0;
    drop_mask(ring, scratch);
    copy_mask(scratch, pale);
    failed = failed || only_runs(scratch, pixels_across(band, STRAIGHT), pixels_down(band, STRAIGHT)) < 0;
    count_in_cells(cells, ring, offsetof(Cell, ring));
    count_in_cells(cells, scratch, offsetof(Cell, straight));
    keep_mask(ring, pale);
    count_in_cells(cells, ring, offsetof(Cell, pale_in_ring));
    free_masks(masks);
    return failed ? -1 : 0;
}

/* Returns the number of security grounds, or -1 without memory. */
static int find_grounds(const Band *band, const Cells *cells, const Mask *marks, const uint8_t *depth)
{
    Mask masks[2], *pale = masks, *deep = masks + 1;
    if (new_masks(masks, 2, band->size) < 0)
        return -1;
    take_depths(cells, marks, depth);
    int found = settle_splits(cells) < 0 ? -1 : where_less(cells, pale, depth, offsetof(Cell, split));
    if (found == 0) {
        keep_mask(pale, marks);
        copy_mask(deep, marks);
        drop_mask(deep, pale);
        count_in_cells(cells, pale, offsetof(Cell, pale));
        count_in_cells(cells, deep, offsetof(Cell, deep));
        found = settle_regions(cells, BY_PIXELS);
    }
    if (found > 0)
        found = count_shapes(band, cells, pale, deep) < 0 ? -1 : settle_regions(cells, BY_SHAPES);
    if (found > 0)
        found = count_sizes(cells, pale) < 0 ? -1 : settle_regions(cells, BY_SIZES);
    free_masks(masks);
    return found;
}

WIDE static void clear_where(uint8_t *restrict depth, const uint8_t *restrict where, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        depth[x] &= (uint8_t)(where[x] - 1);
}

/* Sets the depth of marked pixels to 0. */
static int clear_depth(const Mask *where, uint8_t *depth)
{
    uint8_t *line = new_line(where->size);
    for (ptrdiff_t y = 0; y < where->size.rows && line != NULL; y++)
        if (any_in_row(where, y)) {
            put_line(where, y, line);
            clear_where(depth + y * where->size.width, line, where->size.width);
        }
    free(line);
    return line == NULL ? -1 : 0;
}

int drop_security_ground(const Band *band, const Mask *ink, const Mask *marks, uint8_t *depth)
{
    int rows = rows_of_tile(band->ground->y_dpi);
    Cells cells = {tiles_of(band->size, band->ground->y_dpi), rows, band->dark_type != NULL, NULL};
    Mask dropped = {0};
    cells.cell = calloc((size_t)(cells.size.width * cells.size.rows), sizeof *cells.cell);
    int failed = cells.cell == NULL || new_masks(&dropped, 1, band->size) < 0;
    int found = failed ? -1 : find_grounds(band, &cells, marks, depth);
    if (found > 0) {
        failed = where_less(&cells, &dropped, depth, offsetof(Cell, below)) < 0 || clear_depth(&dropped, depth) < 0;
        keep_mask(&dropped, ink);
        drop_mask(ink, &dropped);
        failed = failed || make_paper(band, &dropped) < 0;
    }
    free(cells.cell);
    free_masks(&dropped);
    return failed || found < 0 ? -1 : 0;
}
