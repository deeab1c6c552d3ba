/* Which tiles of the page are of photographs, and whether all of it is one. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* A box that may hold a photograph is one when so many of its tiles are, or when its tones are many: a chart
 * or a screen has most of its pixels, white apart, in four of 64 steps of grey. */
enum { BOX_PERCENT = 40, FEW = 4, FEW_PERCENT = 50, MIDDLE_PERCENT = 30, FLAT_TONES = 97 };
enum { DARKEST_MIDDLE = 30 * STEPS / 256, LIGHTEST_MIDDLE = 225 * STEPS / 256, NOT_WHITE = 250 * STEPS / 256 };

/* How many of the pixels that are not white are of the most frequent FEW steps; ``coloured`` is how many are not white. */
static uint32_t in_few_tones(const uint32_t tones[STEPS], uint32_t *coloured)
{
    uint32_t left[STEPS], most = 0;
    *coloured = 0;
    for (int step = 0; step < STEPS; step++) {
        left[step] = tones[step];
        *coloured += step < NOT_WHITE ? tones[step] : 0;
    }
    for (int taken = 0; taken < FEW; taken++) {
        int best = 0;
        for (int step = 1; step < NOT_WHITE; step++)
            best = left[step] > left[best] ? step : best;
        most += left[best];
        left[best] = 0;
    }
    return most;
}

static int has_many_tones(const uint32_t tones[STEPS], uint32_t count)
{
    uint32_t middle = 0, coloured, most = in_few_tones(tones, &coloured);
    for (int step = DARKEST_MIDDLE; step <= LIGHTEST_MIDDLE; step++)
        middle += tones[step];
    return middle * 100 >= count * MIDDLE_PERCENT && most * 100 < coloured * FEW_PERCENT;
}

/* Areas of a few tones and nothing between them, as nobody photographs. */
static int is_flat(const uint32_t tones[STEPS])
{
    uint32_t coloured, most = in_few_tones(tones, &coloured);
    return most * 100 >= coloured * FLAT_TONES;
}

/* Which of the boxes are photographs; their tiles are marked so, all others not. */
int settle_boxes(Ground *ground, const Box *boxes, ptrdiff_t box_count)
{
    size_t count = (size_t)(ground->tiles.width * ground->tiles.rows);
    uint8_t *photo = calloc(count, 1);
    int rows = rows_of_tile(ground->y_dpi);
    if (photo == NULL)
        return -1;
    for (ptrdiff_t each = 0; each < box_count; each++) {
        Box box = boxes[each];
        uint32_t tones[STEPS] = {0}, in = 0, of = 0, looked_at = 0;
        for (int mark = 0; mark < 2; mark++) {
            for (ptrdiff_t y = (box.top + rows / 2) / rows; y < (box.below + rows / 2) / rows; y++)
                for (ptrdiff_t x = (box.left + TILE / 2) / TILE; x < (box.right + TILE / 2) / TILE; x++) {
                    if (x < 0 || y < 0 || x >= ground->tiles.width || y >= ground->tiles.rows)
                        continue;
                    const Tile *tile = &ground->tile[y * ground->tiles.width + x];
                    if (mark) {
                        photo[y * ground->tiles.width + x] = 1;
                        continue;
                    }
                    of++;
                    in += tile->photo;
                    looked_at += tile->looked_at;
                    for (int step = 0; step < STEPS; step++)
                        tones[step] += tile->tones[step];
                }
            if (of == 0 || (in * 100 < of * BOX_PERCENT && !has_many_tones(tones, looked_at)))
                break;
        }
    }
    for (size_t at = 0; at < count; at++)
        ground->tile[at].photo = photo[at];
    free(photo);
    return 0;
}

/* A tile beside a photograph that is darker than paper and has hardly an edge is a part of it; not on a page
 * with a shadow on it, where paper is as dark: so dark a tenth of the tiles with type on them. */
enum { DARKER_THAN_PAPER = 85, FEW_EDGES = 6, SHADED = 80 };

static int percentile_of_tiles(const uint32_t histogram[256], uint32_t count, int percent)
{
    uint32_t below = 0;
    int level = 0;
    while (level < 255 && (below += histogram[level]) * 100 <= count * (uint32_t)percent)
        level++;
    return level;
}

static void grow_photographs(const Ground *ground, uint8_t *photo)
{
    uint32_t papers[256] = {0}, written[256] = {0}, count = 0, count_written = 0;
    Size tiles = ground->tiles;
    for (ptrdiff_t at = 0; at < tiles.width * tiles.rows; at++) {
        const Tile *tile = &ground->tile[at];
        papers[tile->paper_tone] += tile->looked_at != 0;
        count += tile->looked_at != 0;
        if (tile->edges > FEW_EDGES && !photo[at]) {
            written[tile->paper_tone]++;
            count_written++;
        }
    }
    int bright = percentile_of_tiles(papers, count, 95);
    if (percentile_of_tiles(written, count_written, 10) * 100 < bright * SHADED && count_written)
        return;
    for (int changed = 1; changed;) {
        changed = 0;
        for (ptrdiff_t y = 0; y < tiles.rows; y++)
            for (ptrdiff_t x = 0; x < tiles.width; x++) {
                ptrdiff_t at = y * tiles.width + x;
                const Tile *tile = &ground->tile[at];
                if (photo[at] || tile->looked_at == 0 || tile->edges > FEW_EDGES
                    || tile->middle * 100 >= bright * DARKER_THAN_PAPER)
                    continue;
                int beside = (x > 0 && photo[at - 1]) || (x + 1 < tiles.width && photo[at + 1])
                             || (y > 0 && photo[at - tiles.width]) || (y + 1 < tiles.rows && photo[at + tiles.width]);
                photo[at] = (uint8_t)beside;
                changed |= beside;
            }
    }
}

/* A photograph has somewhere so many tiles by so many that nearly all look like one; lines of type on a tint have not.
 * What hangs together with that is of it, gaps of highlights and shadows closed, and its rim comes in. */
enum { PHOTO_CORE = 3, PHOTO_NEARLY = 7, PHOTO_CLOSED = 5, PHOTO_ROUNDS = 6 };

int settle_tiles(Ground *ground)
{
    size_t count = (size_t)(ground->tiles.width * ground->tiles.rows);
    uint8_t *photo = malloc(2 * count), *may = photo + count;
    uint16_t *around = malloc(count * sizeof *around);
    int failed = photo == NULL || around == NULL;
    if (!failed) {
        for (size_t at = 0; at < count; at++)
            may[at] = ground->tile[at].photo;
        failed = count_around(around, may, ground->tiles, PHOTO_CORE, PHOTO_CORE) < 0
                 || without_dark(may, may, ground->tiles, PHOTO_CLOSED, PHOTO_CLOSED) < 0
                 || without_light(may, may, ground->tiles, PHOTO_CORE, PHOTO_CORE) < 0;
        for (size_t at = 0; !failed && at < count; at++)
            photo[at] = around[at] >= PHOTO_NEARLY;
        failed = failed || widen_light(photo, photo, ground->tiles, PHOTO_CORE, PHOTO_CORE) < 0;
        for (int round = 0; round < PHOTO_ROUNDS && !failed; round++) {
            sweep(photo, may, ground->tiles, 0);
            sweep(photo, may, ground->tiles, 1);
        }
        if (!failed)
            grow_photographs(ground, photo);
        failed = failed || widen_light(photo, photo, ground->tiles, 5, 5) < 0
                 || widen_dark(photo, photo, ground->tiles, 3, 3) < 0;
        for (size_t at = 0; !failed && at < count; at++)
            ground->tile[at].photo = photo[at];
    }
    free(photo);
    free(around);
    return failed ? -1 : 0;
}

/* A picture is one photograph from edge to edge, not a page, when its tones are many, hardly any of its tiles are
 * paper, and many look like a photograph or are of other colours, or wide areas are dark, or more of it is edge
 * than any type makes; or when it has many tones and not a single sharp edge. */
enum { PHOTO_TILES = 25, COLOURED_TILES = 35, PAPER_TILES = 25, SOME_TILES = 8, SKY_TILES = 45, NEAR_BRIGHTEST = 88, SAME_COLOUR = 14 };
enum { DARK_TIMES = 4, SOFT_TONES = 75, SOFT_EDGES = 1000, TOO_MANY_EDGES = 3 };

static int of_colour(const Tile *tile, int blue, int red)
{
    return abs(tile->blue - blue) <= SAME_COLOUR && abs(tile->red - red) <= SAME_COLOUR;
}

int is_all_photograph(const Ground *ground)
{
    uint32_t papers[256] = {0}, tones[STEPS] = {0}, count = 0, looked_at = 0, bright = 0;
    uint64_t edges = 0, pictured = 0, paper = 0, coloured = 0;
    int64_t blue = 0, red = 0;
    ptrdiff_t tiles = ground->tiles.width * ground->tiles.rows;
    for (const Tile *tile = ground->tile; tile < ground->tile + tiles; tile++) {
        if (tile->looked_at == 0)
            continue;
        papers[tile->paper_tone]++;
        count++;
        looked_at += tile->looked_at;
        edges += tile->edges;
        pictured += tile->photo;
        for (int step = 0; step < STEPS; step++)
            tones[step] += tile->tones[step];
    }
    int low = percentile_of_tiles(papers, count, 5), high = percentile_of_tiles(papers, count, 95);
    for (const Tile *tile = ground->tile; tile < ground->tile + tiles; tile++)
        if (tile->looked_at && tile->paper_tone >= high) {
            blue += tile->blue;
            red += tile->red;
            bright++;
        }
    if (count == 0 || bright == 0)
        return 0;
    for (const Tile *tile = ground->tile; tile < ground->tile + tiles; tile++)
        if (tile->looked_at) {
            int white = of_colour(tile, (int)(blue / bright), (int)(red / bright));
            paper += white && !tile->photo && tile->middle * 100 >= high * NEAR_BRIGHTEST;
            coloured += !white;
        }
    if (high - low >= SOFT_TONES && edges * SOFT_EDGES < looked_at && !is_flat(tones))
        return 1;
    if (!has_many_tones(tones, looked_at))
        return 0;
    int wide_dark = low * DARK_TIMES < high;
    if (wide_dark && pictured * 100 >= count * SOME_TILES && paper * 100 < count * SKY_TILES)
        return 1;
    return paper * 100 < count * PAPER_TILES
           && (wide_dark || pictured * 100 >= count * PHOTO_TILES || coloured * 100 >= count * COLOURED_TILES
               || edges * TOO_MANY_EDGES > looked_at);
}
