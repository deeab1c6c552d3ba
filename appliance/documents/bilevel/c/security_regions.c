/* Decides which regions of a page are security grounds. */
#include "security_regions.h"

#include <stdlib.h>

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

enum { IN_WORK = 1, EXAMINED }; /* taken */

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

int settle_regions(const Cells *cells, Test last)
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
