/* What lies beyond the sheet in a photograph or scan of it: a dark table, the lid of a scanner, the edge of a book. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* Tiles darker than this share of the brightest paper, in 1/100, that hang together with the picture's edge. */
enum { DARK_SHARE = 55 };
/* They are no shadow: where they end the next tile but one is so much brighter, nearly all round, in 1/100. */
enum { BRIGHTER = 150, SHARP_PERCENT = 70, BRIGHT_SHARE = 45 };
/* And no type is in them: so many sharp steps a tile at most. */
enum { MOST_EDGES = 6, FEWEST_TILES = 12 };
/* They take up two sides of the picture, so much of each, or are a strip no deeper than this share of it, in 1/100:
 * what is deeper and along one side is a picture of the sheet's own. */
enum { SIDE_PERCENT = 60, STRIP_PERCENT = 15 };
/* All that is not so dark is a sheet: mostly paper, not much of it a photograph, in 1/100. */
enum { PAPER_SHARE = 50, PAPER_TILES = 60, PHOTO_TILES = 25 };
/* The sheet begins in the tile beside them, where it is as light as this once paper is white. */
enum { SHEET_FROM = 170 };

enum { LEFT, TOP, RIGHT, BELOW, SIDES };

typedef struct {
    ptrdiff_t tiles, edges, around, sharp, contact[SIDES];
} Region;

static const Tile *tile_at(const Ground *ground, ptrdiff_t x, ptrdiff_t y)
{
    if (x < 0 || y < 0 || x >= ground->tiles.width || y >= ground->tiles.rows)
        return NULL;
    const Tile *tile = &ground->tile[y * ground->tiles.width + x];
    return tile->looked_at ? tile : NULL;
}

static int brightest_paper(const Ground *ground)
{
    uint32_t papers[256] = {0}, count = 0, above = 0;
    for (ptrdiff_t at = 0; at < ground->tiles.width * ground->tiles.rows; at++)
        if (ground->tile[at].looked_at) {
            papers[ground->tile[at].paper_tone]++;
            count++;
        }
    int level = 255;
    while (level > 0 && (above += papers[level]) * 20 <= count)
        level--;
    return level;
}

static int is_sheet(const Ground *ground, int paper, int dark)
{
    size_t count = 0, bright = 0, pictured = 0;
    for (ptrdiff_t at = 0; at < ground->tiles.width * ground->tiles.rows; at++) {
        const Tile *tile = &ground->tile[at];
        if (!tile->looked_at || tile->paper_tone < dark)
            continue;
        count++;
        bright += tile->middle * 100 >= paper * PAPER_SHARE;
        pictured += tile->photo;
    }
    return bright * 100 >= count * PAPER_TILES && pictured * 100 < count * PHOTO_TILES;
}

static int is_beyond(const Ground *ground, const Region *region)
{
    ptrdiff_t lengths[SIDES] = {ground->tiles.rows, ground->tiles.width, ground->tiles.rows, ground->tiles.width};
    ptrdiff_t longest = 0, across = 0;
    int sides = 0;
    for (int side = 0; side < SIDES; side++) {
        sides += region->contact[side] * 100 >= lengths[side] * SIDE_PERCENT;
        if (region->contact[side] > longest) {
            longest = region->contact[side];
            across = lengths[(side + 1) % SIDES];
        }
    }
    if (region->tiles < FEWEST_TILES || region->edges > region->tiles * MOST_EDGES
        || region->sharp * 100 < region->around * SHARP_PERCENT || region->around == 0)
        return 0;
    return sides >= 2 || region->tiles * 100 <= longest * across * STRIP_PERCENT;
}

/* Takes the dark tiles that hang together with tile ``from`` into ``stack``; returns how many. ``seen`` are not looked
 * at again. */
static ptrdiff_t take_region(const Ground *ground, uint8_t *seen, ptrdiff_t *stack, ptrdiff_t from, int dark, int bright,
                             Region *region)
{
    static const int steps[SIDES][2] = {{-1, 0}, {0, -1}, {1, 0}, {0, 1}};
    ptrdiff_t width = ground->tiles.width, taken = 1;
    memset(region, 0, sizeof *region);
    stack[0] = from;
    seen[from] = 1;
    for (ptrdiff_t next = 0; next < taken; next++) {
        ptrdiff_t x = stack[next] % width, y = stack[next] / width;
        int own = ground->tile[stack[next]].paper_tone;
        region->tiles++;
        region->edges += ground->tile[stack[next]].edges;
        for (int side = 0; side < SIDES; side++) {
            ptrdiff_t right = x + steps[side][0], below = y + steps[side][1];
            const Tile *beside = tile_at(ground, right, below);
            if (beside == NULL) {
                region->contact[side]++;
                continue;
            }
            ptrdiff_t at = below * width + right;
            if (beside->paper_tone < dark) {
                if (!seen[at]) {
                    seen[at] = 1;
                    stack[taken++] = at;
                }
                continue;
            }
            const Tile *farther = tile_at(ground, right + steps[side][0], below + steps[side][1]);
            int there = (farther ? farther : beside)->paper_tone;
            region->around++;
            region->sharp += there * 100 >= own * BRIGHTER && there >= bright;
        }
    }
    return taken;
}

int leave_out_beyond(Ground *ground)
{
    size_t count = (size_t)(ground->tiles.width * ground->tiles.rows);
    uint8_t *seen = calloc(count, 1);
    ptrdiff_t *stack = malloc(count * sizeof *stack);
    int failed = seen == NULL || stack == NULL, paper = brightest_paper(ground);
    int dark = paper * DARK_SHARE / 100, bright = paper * BRIGHT_SHARE / 100, some = 0;
    int is_one = is_sheet(ground, paper, dark);
    for (size_t at = 0; at < count && is_one && !failed; at++) {
        Region region;
        if (seen[at] || !ground->tile[at].looked_at || ground->tile[at].paper_tone >= dark)
            continue;
        ptrdiff_t taken = take_region(ground, seen, stack, (ptrdiff_t)at, dark, bright, &region);
        if (!is_beyond(ground, &region))
            continue;
        some = 1;
        for (ptrdiff_t each = 0; each < taken; each++) {
            Tile *tile = &ground->tile[stack[each]];
            tile->beyond = 1;
            tile->photo = tile->edges = tile->paper_type = tile->paper_tone = 0;
            tile->looked_at = 0;
        }
    }
    if (some) { /* what the page is made of, as far as the tiles know */
        memset(ground->levels, 0, sizeof ground->levels);
        for (size_t at = 0; at < count; at++)
            for (int step = 0; step < STEPS && ground->tile[at].looked_at; step++)
                ground->levels[(step * 256 + 128) / STEPS] += ground->tile[at].tones[step];
    }
    ground->has_beyond = some;
    free(seen);
    free(stack);
    return failed ? -1 : 0;
}

/* Tiles of the region, and of those beside them what is dark and hangs together with them. */
static void mark_tiles(const Band *band, uint8_t *beyond, uint8_t *may)
{
    const Ground *ground = band->ground;
    int rows = rows_of_tile(ground->y_dpi);
    for (ptrdiff_t y = 0; y < band->size.rows; y++)
        for (ptrdiff_t x = 0; x < band->size.width; x += TILE) {
            ptrdiff_t tx = x / TILE, ty = (y + band->first) / rows, at = y * band->size.width + x;
            ptrdiff_t count = band->size.width - x < TILE ? band->size.width - x : TILE;
            int near = 0;
            for (ptrdiff_t row = ty - 1; row <= ty + 1; row++)
                for (ptrdiff_t column = tx - 1; column <= tx + 1; column++)
                    near |= row >= 0 && column >= 0 && row < ground->tiles.rows && column < ground->tiles.width
                            && ground->tile[row * ground->tiles.width + column].beyond;
            if (!near)
                continue;
            memset(beyond + at, ground->tile[ty * ground->tiles.width + tx].beyond, (size_t)count);
            for (ptrdiff_t each = at; each < at + count; each++)
                may[each] = beyond[each] | (band->tone[each] < SHEET_FROM);
        }
}

int whiten_beyond(const Band *band)
{
    enum { ROUNDS = 2, RIM = 5 };
    size_t octets = (size_t)(band->size.width * band->size.rows);
    if (!band->ground->has_beyond)
        return 0;
    uint8_t *beyond = calloc(2 * octets, 1), *may = beyond + octets;
    if (beyond == NULL)
        return -1;
    mark_tiles(band, beyond, may);
    for (int round = 0; round < ROUNDS; round++) {
        sweep(beyond, may, band->size, 0);
        sweep(beyond, may, band->size, 1);
    }
    int failed = widen_light(beyond, band->size, pixels_across(band, RIM), pixels_down(band, RIM)) < 0;
    for (size_t at = 0; at < octets && !failed; at++)
        if (beyond[at])
            band->tone[at] = band->type[at] = 255;
    free(beyond);
    return failed ? -1 : 0;
}
