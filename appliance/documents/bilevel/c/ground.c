/* Decides about the page as a whole: whether it is inverted, what its paper and its noise are, how photographs are
 * stretched. */
#include "sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A page is a screen with light type, and inverted, when its median is below DARK_MEDIAN, at least LIGHT_PERMILLE of
 * its pixels are LIGHT_ABOVE levels lighter, and either DARK_PERCENT of them are within DARK_SPREAD of the median or
 * DARK_GREYS_PERCENT are of DARK_GREYS dark greys: panels and balloons of an app. */
enum { DARK_MEDIAN = 110, DARK_SPREAD = 8, DARK_PERCENT = 45, DARK_GREYS = 3, DARK_GREYS_PERCENT = 75 };
enum { LIGHT_ABOVE = 60, LIGHT_PERMILLE = 2, LIGHTEST_PERCENT = 1 };
/* A picture of which less than this share is white, or whose median is between LEAST_PAPER and white, is scanned
 * paper. */
enum { WHITE_PERCENT = 25, LEAST_PAPER = 100 };
/* A page with at least this share of photographs has no paper. */
enum { PHOTO_PERCENT = 50 };
/* Ink, small pictures and white fields up to this many tiles wide do not change the paper's level. */
enum { PAPER_WIDE = 9 };
/* A tile this many percent as light as the paper or lighter keeps its own level: a lit gap in a shadow. */
enum { LIT_PERCENT = 130 };

/* A dark area is printed, and no paper in a shadow, when the medians of its tiles are below DARK_PAPER percent of the
 * brightest paper, those BESIDE tiles beyond SHARP_PERCENT of its border are from BRIGHT_BESIDE percent on (a shadow
 * has a soft edge), and at least LIGHT_TILES tiles within it have light type (a table around a page has none). */
enum { DARK_PAPER = 45, SHARP_PERCENT = 60, BRIGHT_BESIDE = 60, BESIDE = 2, LIGHT_TILES = 4 };

typedef struct {
    ptrdiff_t count, light; /* tiles, and those of light type with dark ones all around */
    ptrdiff_t border, sharp; /* sides of tiles */
} Area;

static int is_dark_tile(const Tile *tile, int below)
{
    return tile->looked_at && !tile->photo && tile->middle < below;
}

/* Gathers the area around the first of ``members``; ``seen`` marks what has been gathered. */
static Area take_area(const Ground *ground, uint8_t *seen, ptrdiff_t *members, int below, int bright)
{
    static const int8_t to[4][2] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};
    Size tiles = ground->tiles;
    Area area = {.count = 1};
    seen[members[0]] = 1;
    for (ptrdiff_t next = 0; next < area.count; next++) {
        ptrdiff_t x = members[next] % tiles.width, y = members[next] / tiles.width;
        const Tile *tile = &ground->tile[members[next]];
        int inside = 1;
        for (int side = 0; side < 4; side++) {
            ptrdiff_t column = x + to[side][0], row = y + to[side][1], at = row * tiles.width + column;
            if (column < 0 || row < 0 || column >= tiles.width || row >= tiles.rows || ground->tile[at].photo)
                continue;
            if (is_dark_tile(&ground->tile[at], below)) {
                if (!seen[at])
                    members[area.count++] = at;
                seen[at] = 1;
                continue;
            }
            inside = 0;
            column = x + BESIDE * to[side][0];
            row = y + BESIDE * to[side][1];
            at = row * tiles.width + column;
            if (column < 0 || row < 0 || column >= tiles.width || row >= tiles.rows
                || is_dark_tile(&ground->tile[at], below)) /* something narrow in it */
                continue;
            area.border++;
            area.sharp += ground->tile[at].middle >= bright;
        }
        area.light += inside && tile->paper_tone > tile->middle + LIGHT_ABOVE;
    }
    return area;
}

/* Sets ``paper`` to the level at ``offset`` of each tile, without ink, small pictures and white fields; 0 in
 * photographs. */
static int take_paper(const Ground *ground, uint8_t *paper, size_t offset)
{
    Size tiles = ground->tiles;
    for (ptrdiff_t at = 0; at < tiles.width * tiles.rows; at++)
        paper[at] = ground->tile[at].photo ? 0 : ((const uint8_t *)&ground->tile[at])[offset];
    return without_dark(paper, paper, tiles, PAPER_WIDE, PAPER_WIDE) < 0
                   || without_light(paper, paper, tiles, PAPER_WIDE, PAPER_WIDE) < 0
               ? -1
               : 0;
}

/* Sets ``printed`` to 1 in printed dark areas so wide that they would be taken for paper, and at their rims. */
static int find_printed(const Ground *ground, uint8_t *printed)
{
    ptrdiff_t count = ground->tiles.width * ground->tiles.rows, *members = malloc((size_t)count * sizeof *members);
    uint8_t *seen = calloc(2 * (size_t)count, 1), *paper = seen + count;
    int failed = members == NULL || seen == NULL || take_paper(ground, paper, offsetof(Tile, paper_tone)) < 0;
    int brightest = 0;
    for (ptrdiff_t at = 0; at < count && !failed; at++)
        brightest = paper[at] > brightest ? paper[at] : brightest;
    int below = brightest * DARK_PAPER / 100;
    for (ptrdiff_t at = 0; at < count && !failed; at++) {
        if (seen[at] || paper[at] >= below || !is_dark_tile(&ground->tile[at], below))
            continue;
        members[0] = at;
        Area area = take_area(ground, seen, members, below, brightest * BRIGHT_BESIDE / 100);
        if (area.light >= LIGHT_TILES && area.sharp * 100 >= area.border * SHARP_PERCENT)
            for (ptrdiff_t each = 0; each < area.count; each++)
                printed[members[each]] = 1;
    }
    failed = failed || widen_light(printed, printed, ground->tiles, 3, 3) < 0;
    free(members);
    free(seen);
    return failed ? -1 : 0;
}

static int settle_paper(Ground *ground, size_t offset, const uint8_t *printed)
{
    Size tiles = ground->tiles;
    size_t count = (size_t)(tiles.width * tiles.rows);
    uint8_t *paper = malloc(count), *smooth = malloc(count);
    int failed = paper == NULL || smooth == NULL || take_paper(ground, paper, offset) < 0;
    for (size_t at = 0; at < count && !failed; at++)
        paper[at] = printed[at] ? 0 : paper[at];
    for (int round = 0; round < 2 && !failed; round++) {
        for (ptrdiff_t ty = 0; ty < tiles.rows; ty++)
            for (ptrdiff_t tx = 0; tx < tiles.width; tx++) {
                int sum = 0, of = 0;
                for (ptrdiff_t y = ty - 1; y <= ty + 1; y++)
                    for (ptrdiff_t x = tx - 1; x <= tx + 1; x++)
                        if (y >= 0 && y < tiles.rows && x >= 0 && x < tiles.width && paper[y * tiles.width + x]) {
                            sum += paper[y * tiles.width + x];
                            of++;
                        }
                smooth[ty * tiles.width + tx] = (uint8_t)(of ? sum / of : 0);
            }
        memcpy(paper, smooth, count);
    }
    for (size_t at = 0; !failed && at < count; at++) {
        uint8_t *level = (uint8_t *)&ground->tile[at] + offset;
        int is_lit = paper[at] && !ground->tile[at].photo && *level * 100 >= paper[at] * LIT_PERCENT;
        *level = is_lit ? *level : paper[at] ? paper[at] : PAPER_WHITE;
    }
    free(paper);
    free(smooth);
    return failed ? -1 : 0;
}

/* Type and patterns look like noise within a tile, so the least noise nearby counts (opening by this many tiles). */
enum { NOISE_AROUND = 5 };

static int spread_noise(Ground *ground)
{
    size_t count = (size_t)(ground->tiles.width * ground->tiles.rows);
    uint8_t *noise = malloc(count);
    if (noise == NULL)
        return -1;
    for (size_t at = 0; at < count; at++)
        noise[at] = ground->tile[at].noise;
    int failed = without_light(noise, noise, ground->tiles, NOISE_AROUND, NOISE_AROUND) < 0;
    for (size_t at = 0; !failed && at < count; at++)
        ground->tile[at].noise = noise[at];
    free(noise);
    return failed ? -1 : 0;
}

/* Paper from level CLIPPED on hides its noise; it is then taken from the tints, if TINTED_PERCENT of the tiles are
 * tinted. From NOISY levels on a picture is a scan. */
enum { CLIPPED = 250, TINTED_PERCENT = 1, NOISY = 2 };

/* Median noise of the tiles darker than `most`, scaled to white paper; 0 where these are too few. */
static int settle_noise(const Ground *ground, int most)
{
    uint64_t histogram[256] = {0}, count = 0, below = 0;
    for (ptrdiff_t at = 0; at < ground->tiles.width * ground->tiles.rows; at++) {
        const Tile *tile = &ground->tile[at];
        if (tile->looked_at && !tile->photo && tile->paper_type >= LEAST_PAPER / 2 && tile->paper_type < most) {
            histogram[tile->noise * PAPER_WHITE / tile->paper_type]++;
            count++;
        }
    }
    if (count * 100 < (uint64_t)(ground->tiles.width * ground->tiles.rows * TINTED_PERCENT))
        return 0;
    int noise = 0;
    while (noise < 255 && (below += histogram[noise]) * 2 < count)
        noise++;
    return noise;
}

/* Photographs are stretched from their 2nd to their 98th percentile and their median is brought half way to the
 * middle. LEAST_HALF is how close to either end the median may count. */
#define LEAST_HALF 0.15

static void settle_stretch(Ground *ground, int darker)
{
    uint64_t tones[STEPS] = {0}, count = 0, below = 0;
    for (ptrdiff_t at = 0; at < ground->tiles.width * ground->tiles.rows; at++)
        for (int step = 0; step < STEPS && (ground->tile[at].photo || ground->tones == TONES_EVERYWHERE); step++) {
            tones[step] += ground->tile[at].tones[step];
            count += ground->tile[at].tones[step];
        }
    int low = 0, high = STEPS - 1, middle = 0;
    while (low < STEPS / 3 && (below += tones[low]) * 50 <= count)
        low++;
    below = 0;
    while (high > STEPS * 2 / 3 && (below += tones[high]) * 50 <= count)
        high--;
    below = 0;
    while (middle < STEPS - 1 && (below += tones[middle]) * 2 < count)
        middle++;
    double width = (high + 1 - low) * 256.0 / STEPS, least = low * 256.0 / STEPS;
    double half = (middle * 256.0 / STEPS - least) / width;
    half = half < LEAST_HALF ? LEAST_HALF : half > 1 - LEAST_HALF ? 1 - LEAST_HALF : half;
    double exponent = (1 + log(0.5) / log(half)) / 2; /* half of the exponent's change that would centre the median */
    for (int level = 0; level < 256; level++) {
        double share = (level - least) / width;
        double value = 255 * pow(share < 0 ? 0 : share > 1 ? 1 : share, exponent) - darker / 2;
        ground->stretch[level] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

/* Number of pixels of the DARK_GREYS most frequent dark greys. */
static uint64_t in_dark_greys(const uint64_t levels[256])
{
    uint64_t left[DARK_MEDIAN], sum = 0;
    memcpy(left, levels, sizeof left);
    for (int taken = 0; taken < DARK_GREYS; taken++) {
        uint64_t most = 0;
        int best = 0;
        for (int level = 0; level < DARK_MEDIAN; level++) {
            uint64_t near = 0;
            for (int each = level - DARK_SPREAD; each <= level + DARK_SPREAD; each++)
                near += each >= 0 && each < DARK_MEDIAN ? left[each] : 0;
            best = near > most ? level : best;
            most = near > most ? near : most;
        }
        for (int each = best - DARK_SPREAD; each <= best + DARK_SPREAD; each++)
            if (each >= 0 && each < DARK_MEDIAN)
                left[each] = 0;
        sum += most;
    }
    return sum;
}

/* Whether a tile shows white paper alone. */
static int is_white_tile(const Tile *tile)
{
    int white = 0;
    for (int step = PAPER_WHITE * STEPS / 256; step < STEPS; step++)
        white += tile->tones[step];
    return white == tile->looked_at;
}

/* The page without white margins, in tiles. */
static Box without_margins(const Ground *ground)
{
    Box inner = {ground->tiles.width, ground->tiles.rows, 0, 0};
    for (ptrdiff_t y = 0; y < ground->tiles.rows; y++)
        for (ptrdiff_t x = 0; x < ground->tiles.width; x++) {
            if (is_white_tile(&ground->tile[y * ground->tiles.width + x]))
                continue;
            inner.left = x < inner.left ? x : inner.left;
            inner.top = y < inner.top ? y : inner.top;
            inner.right = x >= inner.right ? x + 1 : inner.right;
            inner.below = y + 1;
        }
    return inner;
}

/* Whether light pixels are mostly in dark tiles, as light type is, and not in wide areas, such as the lit part of a
 * page in the shade, nor along the edges of the content, as the paper around a coloured area is. Light tiles with
 * others all around make a wide area: the frame of a screen does not, nor a table that is darker than the middle
 * between the screen and what is lightest. */
static int has_light_type(const Ground *ground, int median)
{
    Size tiles = ground->tiles;
    ptrdiff_t type = 0, areas = 0;
    uint64_t count = 0, lighter = 0;
    int lightest = 256;
    for (int level = 0; level < 256; level++)
        count += ground->levels[level];
    while (lightest > median && lighter * 100 < count * LIGHTEST_PERCENT)
        lighter += ground->levels[--lightest];
    int wide_from = (median + lightest) / 2;
    wide_from = wide_from > median + LIGHT_ABOVE ? wide_from : median + LIGHT_ABOVE;
    Box inner = ground->dark;
    for (ptrdiff_t y = inner.top; y < inner.below; y++)
        for (ptrdiff_t x = inner.left; x < inner.right; x++) {
            const Tile *tile = &ground->tile[y * tiles.width + x];
            /* Tiles at the edge are in part of the margin. */
            int edge = x == inner.left || x + 1 == inner.right || y == inner.top || y + 1 == inner.below;
            int around = 0, light = 0;
            for (ptrdiff_t ty = y > 0 ? y - 1 : 0; ty <= y + 1 && ty < tiles.rows; ty++)
                for (ptrdiff_t tx = x > 0 ? x - 1 : 0; tx <= x + 1 && tx < tiles.width; tx++) {
                    const Tile *other = &ground->tile[ty * tiles.width + tx];
                    around += other->looked_at != 0;
                    light += other->looked_at && other->middle > wide_from;
                }
            areas += tile->looked_at && light == around;
            type += !edge && around == 9 && tile->middle < DARK_MEDIAN && tile->paper_type > tile->middle + LIGHT_ABOVE;
        }
    return type > 0 && 2 * type >= areas;
}

/* A dark picture of a fading colour, a slide, is inverted too when at least LIGHT_TILES_PERCENT of its tiles have light
 * type, FADE_TIMES as many as have dark type: TYPE_PERCENT of their pixels are LIGHT_ABOVE levels from the middle. */
enum { LIGHT_TILES_PERCENT = 1, FADE_TIMES = 4, TYPE_PERCENT = 3, LEVELS_OF_STEP = 256 / STEPS };

static int has_mostly_light_type(const Ground *ground)
{
    ptrdiff_t light = 0, dark = 0, tiles = 0;
    for (ptrdiff_t at = 0; at < ground->tiles.width * ground->tiles.rows; at++) {
        const Tile *tile = &ground->tile[at];
        if (!tile->looked_at || tile->photo)
            continue;
        int darker = 0, lighter = 0;
        for (int step = 0; step < STEPS; step++) {
            darker += (step + 1) * LEVELS_OF_STEP + LIGHT_ABOVE <= tile->middle ? tile->tones[step] : 0;
            lighter += step * LEVELS_OF_STEP >= tile->middle + LIGHT_ABOVE ? tile->tones[step] : 0;
        }
        int is_type = (darker + lighter) * 100 >= tile->looked_at * TYPE_PERCENT;
        light += is_type && lighter > darker;
        dark += is_type && darker > lighter;
        tiles++;
    }
    return light * 100 >= tiles * LIGHT_TILES_PERCENT && light >= FADE_TIMES * dark;
}

/* The paper of a picture that is inverted: most of a tile, as light type is the lesser part. */
static void turn_paper(Ground *ground)
{
    for (ptrdiff_t at = 0; at < ground->tiles.width * ground->tiles.rows; at++) {
        Tile *tile = &ground->tile[at];
        if (tile->looked_at)
            tile->paper_type = tile->paper_tone = 255 - tile->middle;
    }
}

int settle(Ground *ground, const Box *boxes, ptrdiff_t box_count, int darker)
{
    uint64_t count = 0, below = 0, near = 0, light = 0, white = 0, pictured = 0, tiles = 0;
    for (int level = 0; level < 256; level++) {
        count += ground->levels[level];
        white += level >= PAPER_WHITE ? ground->levels[level] : 0;
    }
    int median = 0;
    while (median < 255 && (below += ground->levels[median]) * 2 < count)
        median++;
    for (int level = 0; level < 256; level++) {
        near += abs(level - median) <= DARK_SPREAD ? ground->levels[level] : 0;
        light += level > median + LIGHT_ABOVE ? ground->levels[level] : 0;
    }
    int all = ground->raster && ground->tones == TONES_BY_CONTENT && is_all_photograph(ground);
    if ((ground->raster ? settle_tiles(ground) : settle_boxes(ground, boxes, box_count)) < 0)
        return -1;
    if (all)
        for (ptrdiff_t at = 0; at < ground->tiles.width * ground->tiles.rows; at++)
            ground->tile[at].photo = ground->tile[at].looked_at != 0;
    settle_stretch(ground, darker);
    if (ground->tones == TONES_EVERYWHERE)
        return 0;
    for (ptrdiff_t at = 0; at < ground->tiles.width * ground->tiles.rows; at++) {
        pictured += ground->tile[at].photo;
        tiles += ground->tile[at].looked_at != 0;
    }
    int is_photograph = pictured * 100 >= tiles * PHOTO_PERCENT;
    ground->dark = without_margins(ground);
    int is_dark = median < DARK_MEDIAN && light * 1000 >= count * LIGHT_PERMILLE
                  && has_light_type(ground, median);
    int is_even = near * 100 >= count * DARK_PERCENT
                  || in_dark_greys(ground->levels) * 100 >= count * DARK_GREYS_PERCENT;
    int fades = is_dark && !is_even && !is_photograph && ground->raster && has_mostly_light_type(ground);
    ground->turned = is_dark && (is_even || fades);
    settle_patterns(ground);
    if ((ground->turned && !ground->raster) || is_photograph)
        return 0;
    if (ground->turned)
        turn_paper(ground);
    int is_grey = median >= LEAST_PAPER && median < PAPER_WHITE;
    int papery = ground->turned ? fades : is_grey || white * 100 < count * WHITE_PERCENT;
    if (ground->raster && spread_noise(ground) < 0)
        return -1;
    int noise = ground->raster ? settle_noise(ground, papery || ground->turned ? 256 : CLIPPED) : 0;
    if (ground->raster && (papery || noise >= NOISY)) {
        ground->scanned = 1;
        ground->patterned = 0;
        ground->noise = noise;
        uint8_t *printed = calloc((size_t)(ground->tiles.width * ground->tiles.rows), 1);
        int failed = printed == NULL || (!ground->turned && find_printed(ground, printed) < 0)
                     || settle_paper(ground, offsetof(Tile, paper_type), printed) < 0
                     || settle_paper(ground, offsetof(Tile, paper_tone), printed) < 0;
        free(printed);
        return failed ? -1 : 0;
    }
    return 0;
}
