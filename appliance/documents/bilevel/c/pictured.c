/* Decides which tiles of the page belong to photographs, and whether the whole page is one. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* A box is a photograph if BOX_PERCENT of its tiles look like one, or if SOME_PERCENT do, which none of a fading colour
 * do, and it has many tones: MIDDLE_PERCENT of its pixels in the middle of the scale, and less than FEW_PERCENT of the
 * non-white ones in the FEW most frequent of 64 steps, where a chart or a screen has most. From FLAT_TONES percent in
 * these steps a picture is flat. */
enum { BOX_PERCENT = 40, SOME_PERCENT = 4, FEW = 4, FEW_PERCENT = 50, MIDDLE_PERCENT = 30, FLAT_TONES = 97 };
enum { DARKEST_MIDDLE = 30 * STEPS / 256, LIGHTEST_MIDDLE = 225 * STEPS / 256, NOT_WHITE = 250 * STEPS / 256 };

/* Number of pixels in the FEW most frequent non-white steps. Sets ``coloured`` to the number of non-white pixels. */
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

/* Whether nearly all is of a few tones, which no photograph is. */
static int is_flat(const uint32_t tones[STEPS])
{
    uint32_t coloured, most = in_few_tones(tones, &coloured);
    return most * 100 >= coloured * FLAT_TONES;
}

/* Marks the tiles of the boxes that are photographs, and only those. */
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
            int some = of != 0 && in * 100 >= of * SOME_PERCENT;
            if (!some || (in * 100 < of * BOX_PERCENT && !has_many_tones(tones, looked_at)))
                break;
        }
    }
    for (size_t at = 0; at < count; at++)
        ground->tile[at].photo = photo[at];
    free(photo);
    return 0;
}

/* A tile next to a photograph joins it if it is darker than paper (its median below DARKER_THAN_PAPER percent of the
 * brightest tiles' paper) and has at most FEW_EDGES edges. Not on a page with a shadow, where paper may be as dark:
 * there a tenth of the tiles with type have paper below SHADED percent. */
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

/* A photograph contains PHOTO_CORE x PHOTO_CORE tiles of which PHOTO_NEARLY look like one, which lines of type on a
 * tint do not. Tiles connected to these belong to it, gaps of highlights and shadows up to PHOTO_CLOSED are closed,
 * and its rim is added. */
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

/* A picture is one photograph from edge to edge, and no page, in two cases: it has many tones and hardly any sharp
 * edge; or it has many tones, few tiles of paper, and in addition many tiles that look like a photograph or have
 * other colours than the brightest ones, or wide dark areas, or more edges than type makes. */
enum { PHOTO_TILES = 25, COLOURED_TILES = 35, PAPER_TILES = 25, SOME_TILES = 8, SKY_TILES = 45, NEAR_BRIGHTEST = 88,
       SAME_COLOUR = 14 };
enum { DARK_TIMES = 4, SOFT_TONES = 75, SOFT_EDGES = 1000, TOO_MANY_EDGES = 3 };

/* It is a page nevertheless, however coloured or shaded, if nearly all sharp edges are those of type. At least
 * TYPE_TILES percent of the tiles have TYPE_EDGES sharp edges, and of these TYPE_SHARE percent have TYPE_GROUND
 * percent of their pixels in about one tone. */
enum { TYPE_EDGES = 8, TYPE_TILES = 5, TYPE_SHARE = 65, TYPE_GROUND = 50 };

static int is_typed(const Ground *ground, uint64_t count)
{
    uint64_t edged = 0, typed = 0;
    for (ptrdiff_t at = 0; at < ground->tiles.width * ground->tiles.rows; at++) {
        const Tile *tile = &ground->tile[at];
        if (tile->looked_at == 0 || tile->edges < TYPE_EDGES)
            continue;
        edged++;
        typed += most_alike(tile->tones) * 100 >= (uint32_t)tile->looked_at * TYPE_GROUND;
    }
    return edged * 100 >= count * TYPE_TILES && typed * 100 >= edged * TYPE_SHARE;
}

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
    if (!has_many_tones(tones, looked_at) || is_typed(ground, count))
        return 0;
    int wide_dark = low * DARK_TIMES < high;
    if (wide_dark && pictured * 100 >= count * SOME_TILES && paper * 100 < count * SKY_TILES)
        return 1;
    return paper * 100 < count * PAPER_TILES
           && (wide_dark || pictured * 100 >= count * PHOTO_TILES || coloured * 100 >= count * COLOURED_TILES
               || edges * TOO_MANY_EDGES > looked_at);
}
