/* Finds light type on a dark ground in rasters, where the document does not tell what is type. "Ground" here is the
 * tint or dark area that light type stands on. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* Light type is more than LIGHTER levels above its ground, is no line of LONGEST_LINE pixels or more, and within
 * LIGHT_AROUND x LIGHT_AROUND pixels there are more than FEWEST of it and 1.5 times as many as of dark ink. Grounds
 * are darker than GROUND_BELOW, so that something can be that much lighter. */
enum { LIGHTER = 38, LONGEST_LINE = 48, LIGHT_AROUND = 41, GROUND_BELOW = 255 - LIGHTER, WHITE_PAPER = 225, FEWEST = 8,
       LINE_RIM = 5 };
/* Nor is a group of connected pixels whose box is so long and so broad, but filled by SLANTING_PERCENT at most, and
 * no more than so thick on average. */
enum { SLANTING_LENGTH = 100, SLANTING_BREADTH = 24, SLANTING_PERCENT = 20, SLANTING_THICK = 12 };
/* Nor is a pixel that lies in a square of AREA x AREA pixels of which none is LIGHTER levels darker: it is of a light
 * area beside a dark one. */
enum { AREA = STROKE + 2 };
/* Between light letters the closing is more than LIFTED levels lighter than the ground, so the ground was taken for
 * ink there. It is ground again unless more than SURELY_DARKER below the ground's level. In a scan what is less than
 * NOISE_DARKER below it is noise. */
enum { LIFTED = 20, OF_GROUND = 14, SURELY_DARKER = 60, NOISE_DARKER = 40 };
/* The ground is the median of every EVERYth pixel of every EVERYth row (half of that at standard resolution), in a
 * window that reaches FAR samples along rows and CLOSE along columns, or the other way round: a table's bar is no
 * higher than two lines of type. The darker of both counts. At least ALIKE_PERCENT of the window must lie within ALIKE steps of COARSE levels of it: a
 * tint does, small blurred type does not. */
enum { EVERY = 4, FAR = 8, CLOSE = 2, COARSE = 4, ALIKE = 4, ALIKE_PERCENT = 48 };

/* Samples, gone through by rows or by columns: ``beside`` and ``below`` are the octets to the next one in both
 * directions. */
typedef struct {
    const uint8_t *grey;
    Size size;
    ptrdiff_t beside, below;
} Samples;

WIDE static void take_sample_row(uint8_t *restrict samples, uint8_t *restrict dark, const uint8_t *restrict row,
                                 ptrdiff_t count)
{
    for (ptrdiff_t x = 0; x < count; x++) {
        samples[x] = row[EVERY * x];
        dark[x] = row[EVERY * x] < GROUND_BELOW;
    }
}

static int rows_of_sample(const Band *band)
{
    return band->ground->y_dpi < COARSE_DPI ? EVERY / 2 : EVERY;
}

/* Copies the samples of a plane, and sets ``dark`` to those that may be of a ground. */
static void take_samples(uint8_t *samples, uint8_t *dark, Size small, const Band *band)
{
    ptrdiff_t apart = rows_of_sample(band) * band->size.width;
    for (ptrdiff_t y = 0; y < small.rows; y++)
        take_sample_row(samples + y * small.width, dark + y * small.width, band->under_tone + y * apart, small.width);
}

/* Samples of a window, in bins of COARSE levels. ALIKE bins at either end stay empty. */
enum { BINS = 256 / COARSE };
typedef struct {
    uint16_t bins[ALIKE + BINS + ALIKE];
    int count, bin, darker; /* samples; the median's bin, and samples in darker ones */
} Window;

/* Adds ``by`` (1 or -1) to the window for ``count`` samples, ``step`` octets apart. */
static void count_samples(Window *window, const uint8_t *grey, ptrdiff_t step, ptrdiff_t count, int by)
{
    for (ptrdiff_t each = 0; each < count; each++, grey += step) {
        int bin = ALIKE + *grey / COARSE;
        window->bins[bin] = (uint16_t)(window->bins[bin] + by);
        window->darker += bin < window->bin ? by : 0;
    }
    window->count += by * (int)count;
}

/* Replaces samples by others; most are of the same bin. */
static void replace_samples(Window *window, const uint8_t *old, const uint8_t *new, ptrdiff_t step, ptrdiff_t count)
{
    for (ptrdiff_t each = 0; each < count; each++, old += step, new += step) {
        int from = ALIKE + *old / COARSE, to = ALIKE + *new / COARSE;
        if (from == to)
            continue;
        window->bins[from]--;
        window->bins[to]++;
        window->darker += (to < window->bin) - (from < window->bin);
    }
}

/* Huang's sliding median over a window of 2 x ``far`` + 1 by 2 x ``close`` + 1 samples. ``row`` and ``column`` are
 * the strides of ``medians`` and ``dark``. ``medians`` become darker only. ``dark`` is the number of samples below
 * GROUND_BELOW in the window; where fewer than half are, no median is taken. */
static void take_medians(uint8_t *medians, const uint16_t *dark, Samples samples, ptrdiff_t row, ptrdiff_t column,
                         int far, int close)
{
    Size size = samples.size;
    for (ptrdiff_t y = 0; y < size.rows; y++) {
        ptrdiff_t top = y < close ? 0 : y - close, below = y + close < size.rows ? y + close + 1 : size.rows;
        const uint8_t *columns = samples.grey + top * samples.below;
        Window window = {.bin = ALIKE};
        ptrdiff_t taken = 0, begun = 0; /* columns in the window: from ``begun`` to before ``taken`` */
        for (ptrdiff_t x = 0; x < size.width; x++) {
            ptrdiff_t here = y * row + x * column;
            if (dark[here] == 0) /* most of a page */
                continue;
            ptrdiff_t from = x < far ? 0 : x - far, to = x + far < size.width ? x + far + 1 : size.width;
            if (2 * dark[here] < (to - from) * (below - top))
                continue;
            if (from >= taken) { /* the windows do not overlap */
                window = (Window){.bin = window.bin};
                begun = taken = from;
            }
            for (; taken < to && begun < from; taken++, begun++)
                replace_samples(&window, columns + begun * samples.beside, columns + taken * samples.beside,
                                samples.below, below - top);
            for (; taken < to; taken++)
                count_samples(&window, columns + taken * samples.beside, samples.below, below - top, 1);
            for (; begun < from; begun++)
                count_samples(&window, columns + begun * samples.beside, samples.below, below - top, -1);
            int bin = window.bin, darker = window.darker, count = window.count;
            while (bin < ALIKE + BINS - 1 && 2 * (darker + window.bins[bin]) < count)
                darker += window.bins[bin++];
            while (bin > ALIKE && 2 * darker >= count)
                darker -= window.bins[--bin];
            window.bin = bin;
            window.darker = darker;
            uint8_t median = (uint8_t)((bin - ALIKE) * COARSE + COARSE / 2), *at = medians + here;
            if (median >= *at)
                continue;
            int alike = 0;
            for (int near = bin - ALIKE; near <= bin + ALIKE; near++)
                alike += window.bins[near];
            if (alike * 100 >= count * ALIKE_PERCENT)
                *at = median;
        }
    }
}

static int find_grounds(uint8_t *medians, Size small, const uint8_t *samples, const uint8_t *dark)
{
    size_t count = (size_t)(small.width * small.rows);
    uint16_t *around = malloc(count * sizeof *around);
    Samples lying = {samples, small, 1, small.width}, upright = {samples, {small.rows, small.width}, small.width, 1};
    memset(medians, 255, count);
    int failed = around == NULL || count_around(around, dark, small, 2 * FAR + 1, 2 * CLOSE + 1) < 0;
    if (!failed)
        take_medians(medians, around, lying, small.width, 1, FAR, CLOSE);
    failed = failed || count_around(around, dark, small, 2 * CLOSE + 1, 2 * FAR + 1) < 0;
    if (!failed)
        take_medians(medians, around, upright, 1, small.width, FAR, CLOSE);
    free(around);
    return failed ? -1 : 0;
}

/* A sample also is of a ground beside it (within REACH samples) when it differs by at most OF_SAMPLE levels, or when
 * it is lighter and lies in a hole of at most HOLE_ACROSS x HOLE_DOWN samples, a bold letter, and HOLE_PERCENT of its
 * row within ROW_AROUND samples are of that ground. */
enum { OF_SAMPLE = 16, REACH = 2, HOLE_ACROSS = 9, HOLE_DOWN = 7, ROW_AROUND = 8, HOLE_PERCENT = 15 };
enum { GAP_ACROSS = 13, GAP_DOWN = 7 }; /* smaller holes belong to the ground */
/* Blurred bold letters may hide a ground for BAR_ACROSS samples across. A sample is of it when within RIM_REACH rows
 * above and below there is a stretch of the ground of RIM_LENGTH samples or more. Between letters the median is too
 * light: what is up to RIM_DARKER levels darker is of the stretch, too. */
enum { BAR_ACROSS = 41, BAR_DOWN = 5, RIM_LENGTH = 16, RIM_REACH = 4, RIM_DARKER = 40 };

static int has_so_much(const uint8_t *row, ptrdiff_t x, ptrdiff_t width, int ground)
{
    int alike = 0, of = 0;
    for (ptrdiff_t each = x < ROW_AROUND ? 0 : x - ROW_AROUND; each <= x + ROW_AROUND && each < width; each++, of++)
        alike += abs(row[each] - ground) <= OF_SAMPLE;
    return alike * 100 >= of * HOLE_PERCENT;
}

/* Samples ``from`` to before ``to`` of a row are of a ground, perhaps more beyond. */
typedef struct {
    ptrdiff_t from, to;
    int ground;
} Stretch;

static int is_of_rim(int sample, int ground)
{
    return sample <= ground + OF_SAMPLE && sample >= ground - RIM_DARKER;
}

/* Looks up to RIM_LENGTH samples to either side of column ``x``. */
static Stretch stretch_at(const uint8_t *row, ptrdiff_t x, ptrdiff_t width, int ground)
{
    Stretch found = {x, x, ground};
    while (found.to < width && found.to - x < RIM_LENGTH && is_of_rim(row[found.to], ground))
        found.to++;
    while (found.to > x && found.from > 0 && x - found.from < RIM_LENGTH && is_of_rim(row[found.from - 1], ground))
        found.from--;
    return found;
}

/* Whether one of the next ``rows`` rows, up to RIM_REACH away and ``step`` octets apart, has such a stretch at
 * column ``x``. ``found``: the last stretch of each. */
static int has_rim(Stretch found[RIM_REACH + 1], const uint8_t *row, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t x,
                   ptrdiff_t width, int ground)
{
    for (ptrdiff_t each = 0; each <= RIM_REACH && each < rows; each++, row += step) {
        Stretch *of = found + each;
        if (of->ground != ground || x < of->from || x >= of->to)
            *of = stretch_at(row, x, width, ground);
        if (of->to - of->from >= RIM_LENGTH)
            return 1;
    }
    return 0;
}

static int fill_grounds(uint8_t *medians, Size small, const uint8_t *samples)
{
    size_t count = (size_t)(small.width * small.rows);
    uint8_t *beside = malloc(3 * count), *within = beside + count, *bar = within + count;
    int failed = beside == NULL;
    if (!failed) {
        failed = widen_dark(beside, medians, small, 2 * REACH + 1, 2 * REACH + 1) < 0
                 || without_light(within, medians, small, HOLE_ACROSS, HOLE_DOWN) < 0
                 || widen_dark(bar, medians, small, BAR_ACROSS, BAR_DOWN) < 0;
    }
    for (ptrdiff_t y = 0; y < small.rows && !failed; y++) {
        const uint8_t *row = samples + y * small.width;
        Stretch above[RIM_REACH + 1] = {0}, below[RIM_REACH + 1] = {0};
        for (ptrdiff_t x = 0; x < small.width; x++) {
            ptrdiff_t at = y * small.width + x;
            if (medians[at] < GROUND_BELOW || bar[at] >= GROUND_BELOW)
                continue;
            if (beside[at] < GROUND_BELOW && abs(row[x] - beside[at]) <= OF_SAMPLE)
                medians[at] = beside[at];
            else if (beside[at] < GROUND_BELOW && within[at] < row[x]
                     && has_so_much(row, x, small.width, within[at]))
                medians[at] = within[at];
            else if (has_rim(above, row, -small.width, y + 1, x, small.width, bar[at])
                     && has_rim(below, row, small.width, small.rows - y, x, small.width, bar[at]))
                medians[at] = bar[at];
        }
    }
    failed = failed || without_light(medians, medians, small, GAP_ACROSS, GAP_DOWN) < 0;
    free(beside);
    return failed ? -1 : 0;
}

/* A ground must show somewhere within PATCH_REACH / 2 pixels, as a patch of PATCH x PATCH pixels at most OF_GROUND
 * levels lighter: wider than a stroke of small type. */
enum { PATCH = 9, PATCH_REACH = 91 };

WIDE static void mark_solid(uint8_t *restrict line, const uint8_t *restrict lightest, const uint8_t *restrict grounds,
                            ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = (grounds[x] < GROUND_BELOW) & (lightest[x] <= (uint8_t)(grounds[x] + OF_GROUND));
}

/* Repeats each octet EVERY times. */
static void repeat_each(uint8_t *row, const uint8_t *small, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x + EVERY <= width; x += EVERY)
        memset(row + x, small[x / EVERY], EVERY);
    if (width % EVERY)
        memset(row + width / EVERY * EVERY, small[width / EVERY], (size_t)(width % EVERY));
}

WIDE static int has_ground(const uint8_t *medians, size_t count)
{
    uint8_t some = 0;
    for (size_t at = 0; at < count; at++)
        some |= medians[at] < GROUND_BELOW;
    return some;
}

typedef struct {
    Size small;
    int every;        /* rows that share a row of samples */
    uint8_t *medians; /* the ground of each sample, 255 where there is none */
    uint8_t *least;   /* the darkest ground within a sample's distance */
    uint8_t *grounds, *line, *other; /* scratch rows */
    uint8_t *height;  /* levels by which each pixel is lighter than its ground */
    const uint8_t *of; /* samples that ``grounds`` were made from */
    Mask light, lines, solid;
} Search;

/* Expands a row of ``medians`` (or ``least``) to pixels; kept for the rows that share it. */
static const uint8_t *grounds_of(Search *search, const uint8_t *medians, ptrdiff_t y, ptrdiff_t width)
{
    const uint8_t *of = medians + y / search->every * search->small.width;
    if (of != search->of)
        repeat_each(search->grounds, of, width);
    search->of = of;
    return search->grounds;
}

static int near_solid(const Band *band, Search *search)
{
    Size size = band->size;
    uint8_t *lightest = malloc((size_t)(size.width * size.rows));
    if (lightest == NULL)
        return -1;
    int failed = widen_light(lightest, band->under_tone, size, pixels_across(band, PATCH),
                             pixels_down(band, PATCH)) < 0;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++) {
        const uint8_t *grounds = grounds_of(search, search->medians, y, size.width);
        mark_solid(search->line, lightest + y * size.width, grounds, size.width);
        take_line(&search->solid, y, search->line);
    }
    free(lightest);
    return failed ? -1 : widen_mask(&search->solid, pixels_across(band, PATCH_REACH), pixels_down(band, PATCH_REACH));
}

WIDE static void take_height(uint8_t *restrict light, uint8_t *restrict height, const uint8_t *restrict grey,
                             const uint8_t *restrict grounds, const uint8_t *restrict photo, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++) {
        uint8_t above = excess(grey[x], grounds[x]);
        height[x] = (grounds[x] < GROUND_BELOW) & (photo[x] == 0) ? above : 0;
        light[x] = height[x] > LIGHTER;
    }
}

static void mark_light(const Band *band, Search *search)
{
    Size size = band->size;
    for (ptrdiff_t y = 0; y < size.rows; y++) {
        const uint8_t *grounds = grounds_of(search, search->medians, y, size.width);
        put_line(&band->photo, y, search->other);
        take_height(search->line, search->height + y * size.width, band->under_tone + y * size.width, grounds,
                    search->other, size.width);
        take_line(&search->light, y, search->line);
    }
}

WIDE static void mark_area(uint8_t *restrict line, const uint8_t *restrict opened, const uint8_t *restrict grey,
                           ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = (uint8_t)(grey[x] - opened[x]) <= LIGHTER;
}

/* Removes light areas from ``light``. */
static int drop_areas(const Band *band, Search *search)
{
    Size size = band->size;
    uint8_t *opened = malloc((size_t)(size.width * size.rows));
    Mask area = {0};
    int failed = opened == NULL || new_masks(&area, 1, size) < 0
                 || without_light(opened, band->under_tone, size, pixels_across(band, AREA), pixels_down(band, AREA)) < 0;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++)
        if (any_in_row(&search->light, y)) {
            ptrdiff_t row = y * size.width;
            mark_area(search->line, opened + row, band->under_tone + row, size.width);
            take_line(&area, y, search->line);
        }
    if (!failed)
        drop_mask(&search->light, &area);
    free(opened);
    free_masks(&area);
    return failed ? -1 : 0;
}

WIDE static void mark_white(uint8_t *restrict line, const uint8_t *restrict grey, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = grey[x] >= WHITE_PAPER;
}

/* Sets ``lines`` to long light lines, including strips of paper between two bars, around which no ground was found. */
static int find_lines(const Band *band, const Search *search)
{
    Size size = band->size;
    for (ptrdiff_t y = 0; y < size.rows; y++) {
        mark_white(search->line, band->under_tone + y * size.width, size.width);
        take_line(&search->lines, y, search->line);
    }
    add_mask(&search->lines, &search->light);
    return only_runs(&search->lines, pixels_across(band, LONGEST_LINE), pixels_down(band, LONGEST_LINE)) < 0
                   || widen_mask(&search->lines, LINE_RIM, LINE_RIM) < 0
               ? -1
               : 0;
}

/* Marks pixels taken for ink between light letters (see LIFTED). Without branches, so that compilers vectorise it. */
WIDE static void mark_ground(uint8_t *restrict line, const uint8_t *restrict grounds, const uint8_t *restrict closed,
                             const uint8_t *restrict grey, int noise, ptrdiff_t width)
{
    int16_t noise_darker = (int16_t)(noise ? noise : -256); /* never less */
    for (ptrdiff_t x = 0; x < width; x++) {
        int16_t lifted = closed[x] - grounds[x], darker = grounds[x] - grey[x];
        uint8_t between = (lifted > LIFTED) & (darker <= SURELY_DARKER);
        line[x] = between | (darker < noise_darker);
    }
}

/* Sets ``may`` to what may be ground between light letters. */
static void find_between(const Band *band, Search *search, const Mask *may)
{
    Size size = band->size;
    int noise = band->ground->scanned ? NOISE_DARKER : 0;
    for (ptrdiff_t y = 0; y < size.rows; y++) {
        if (!any_in_row(&search->solid, y))
            continue;
        const uint8_t *grounds = grounds_of(search, search->least, y, size.width);
        mark_ground(search->line, grounds, band->closed + y * size.width, band->under_tone + y * size.width, noise,
                    size.width);
        take_line(may, y, search->line);
    }
    keep_mask(may, &search->solid);
}

/* The groups of connected pixels of ``mask``, one after the other. */
typedef struct {
    Mask left;      /* what is in none of the groups so far */
    uint32_t *at;   /* the pixels of the present group, as row times width plus column */
    ptrdiff_t count;
    ptrdiff_t width, rows; /* of the smallest box around it */
} Group;

/* Takes the group of pixel ``x``, ``y`` out of ``left``. */
static void take_group(Group *group, ptrdiff_t x, ptrdiff_t y)
{
    Size size = group->left.size;
    ptrdiff_t leftmost = x, rightmost = x, lowest = y;
    group->count = 0;
    group->at[group->count++] = (uint32_t)(y * size.width + x);
    unmark(&group->left, x, y);
    for (ptrdiff_t next = 0; next < group->count; next++) {
        ptrdiff_t row = group->at[next] / size.width, column = group->at[next] % size.width;
        leftmost = column < leftmost ? column : leftmost;
        rightmost = column > rightmost ? column : rightmost;
        lowest = row > lowest ? row : lowest;
        for (ptrdiff_t r = row > 0 ? row - 1 : 0; r <= row + 1 && r < size.rows; r++)
            for (ptrdiff_t c = column > 0 ? column - 1 : 0; c <= column + 1 && c < size.width; c++)
                if (is_marked(&group->left, c, r)) {
                    unmark(&group->left, c, r);
                    group->at[group->count++] = (uint32_t)(r * size.width + c);
                }
    }
    group->width = rightmost - leftmost + 1;
    group->rows = lowest - y + 1;
}

static int is_slanting(const Group *group, int dpi_down)
{
    ptrdiff_t down = group->rows * 196 / dpi_down, across = group->width, count = group->count * 196 / dpi_down;
    ptrdiff_t length = across > down ? across : down, breadth = across > down ? down : across;
    return length >= SLANTING_LENGTH && breadth >= SLANTING_BREADTH && count <= length * SLANTING_THICK
           && count * 100 <= length * breadth * SLANTING_PERCENT;
}

/* Removes slanting and bent lines from ``light``, such as those between the sectors of a chart. */
static int drop_slanting(const Band *band, const Mask *light)
{
    Size size = band->size;
    uint64_t marked = 0;
    for (ptrdiff_t word = 0; word < light->stride * size.rows; word++)
        marked += bits_in(light->words[word]);
    if (marked == 0)
        return 0;
    Group group = {.at = malloc((size_t)marked * sizeof *group.at)};
    if (group.at == NULL || new_masks(&group.left, 1, size) < 0) {
        free(group.at);
        return -1;
    }
    copy_mask(&group.left, light);
    for (ptrdiff_t y = 0; y < size.rows; y++)
        for (ptrdiff_t x = next_marked(&group.left, y, 0); x < size.width; x = next_marked(&group.left, y, x)) {
            take_group(&group, x, y);
            int slanting = is_slanting(&group, band->ground->y_dpi);
            for (ptrdiff_t each = 0; each < group.count && slanting; each++)
                unmark(light, group.at[each] % size.width, group.at[each] / size.width);
        }
    free(group.at);
    free_masks(&group.left);
    return 0;
}

WIDE static void mark_more_light(uint8_t *restrict line, const uint16_t *restrict bright,
                                 const uint16_t *restrict black, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = (bright[x] > FEWEST) & ((uint16_t)(2 * bright[x]) > (uint16_t)(3 * black[x]));
}

/* Sets ``more`` to where light type outnumbers dark ink. */
static int find_more_light(const Band *band, const Search *search, const Mask *light, const Mask *dark,
                           const Mask *more)
{
    Size size = band->size;
    Around bright = {0}, black = {0};
    int across = pixels_across(band, LIGHT_AROUND), down = pixels_down(band, LIGHT_AROUND);
    uint16_t *none = calloc((size_t)size.width, sizeof *none);
    int failed = begin_around(&bright, light, across, down) < 0 || begin_around(&black, dark, across, down) < 0
                 || none == NULL;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++) {
        const uint16_t *brights = next_around(&bright), *blacks = next_around(&black);
        if (brights == NULL)
            continue;
        mark_more_light(search->line, brights, blacks == NULL ? none : blacks, size.width);
        take_line(more, y, search->line);
    }
    free(none);
    end_around(&bright);
    end_around(&black);
    return failed ? -1 : 0;
}

/* The rim of a dark ground, up to RIM pixels wide and no more than OF_GROUND levels darker (NOISE_DARKER in a scan), is
 * taken for ink where no ground was sampled. It would keep the ground off, as type does. */
enum { RIM = EVERY + 2 };

WIDE static void mark_rim(uint8_t *restrict line, const uint8_t *restrict grounds, const uint8_t *restrict grey,
                          uint8_t darker, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = (grounds[x] < DARK_BAR) & (grey[x] >= excess(grounds[x], darker));
}

/* Adds to ``between`` the rims that are connected to it. */
static int add_rims(const Band *band, Search *search, const Mask *between, const Mask *ink)
{
    Size size = band->size;
    uint8_t darker = band->ground->scanned ? NOISE_DARKER : OF_GROUND;
    Mask masks[2], *rims = masks, *of_ground = masks + 1;
    int reach = 2 * (RIM / EVERY + 1) + 1;
    if (new_masks(masks, 2, size) < 0)
        return -1;
    copy_mask(rims, between);
    int failed = widen_mask(rims, 2 * RIM + 1, 2 * RIM + 1) < 0
                 || widen_dark(search->least, search->medians, search->small, reach, reach) < 0;
    search->of = NULL;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++)
        if (any_in_row(rims, y)) {
            mark_rim(search->line, grounds_of(search, search->least, y, size.width),
                     band->under_tone + y * size.width, darker, size.width);
            take_line(of_ground, y, search->line);
        }
    keep_mask(rims, ink);
    keep_mask(rims, of_ground);
    spread_mask(between, rims);
    free_masks(masks);
    return failed ? -1 : 0;
}

/* Sets ``level`` to the ground's where ``ground`` is marked. */
static void level_between(Search *search, const Mask *ground, uint8_t *level)
{
    ptrdiff_t width = ground->size.width;
    for (ptrdiff_t y = 0; y < ground->size.rows; y++)
        if (any_in_row(ground, y)) {
            put_line(ground, y, search->line);
            take_where(level + y * width, grounds_of(search, search->least, y, width), search->line, width);
        }
}

static int decide(const Band *band, Search *search, const Mask *light, const Mask *ink, uint8_t *level)
{
    enum { BETWEEN, DARK, MORE, ALL };
    Mask masks[ALL], *between = masks + BETWEEN, *dark = masks + DARK, *more = masks + MORE;
    if (new_masks(masks, ALL, band->size) < 0)
        return -1;
    find_between(band, search, between);
    copy_mask(light, &search->light);
    drop_mask(light, &search->lines);
    copy_mask(dark, ink);
    drop_mask(dark, between);
    int failed = drop_slanting(band, light) < 0 || find_more_light(band, search, light, dark, more) < 0
                 || where_deep(light, search->height, band, LIGHTER / 2, LIGHT_SHARE) < 0;
    if (!failed) {
        keep_mask(light, more);
        keep_mask(between, more);
        failed = add_rims(band, search, between, ink) < 0;
        drop_mask(ink, between);
        level_between(search, between, level);
    }
    free_masks(masks);
    return failed ? -1 : 0;
}

static int search_light(const Band *band, Search *search, const Mask *light, const Mask *ink, uint8_t *level)
{
    Size size = band->size;
    search->grounds = new_line(size);
    search->line = new_line(size);
    search->other = new_line(size);
    search->height = malloc((size_t)(size.width * size.rows));
    Mask masks[3] = {0};
    int failed = search->grounds == NULL || search->line == NULL || search->other == NULL || search->height == NULL
                 || new_masks(masks, 3, size) < 0;
    search->light = masks[0];
    search->lines = masks[1];
    search->solid = masks[2];
    if (!failed) {
        mark_light(band, search);
        if (any_marked(&search->light))
            failed = near_solid(band, search) < 0;
        keep_mask(&search->light, &search->solid);
    }
    if (!failed && any_marked(&search->light))
        failed = drop_areas(band, search) < 0;
    if (!failed && any_marked(&search->light)) {
        failed = find_lines(band, search) < 0 || widen_dark(search->least, search->medians, search->small, 3, 3) < 0
                 || decide(band, search, light, ink, level) < 0;
    }
    free(search->grounds);
    free(search->line);
    free(search->other);
    free(search->height);
    free_masks(masks);
    return failed ? -1 : 0;
}

int find_light_type(const Band *band, const Mask *light, const Mask *ink, uint8_t *level)
{
    int every = rows_of_sample(band);
    Size size = band->size, small = {(size.width + EVERY - 1) / EVERY, (size.rows + every - 1) / every};
    size_t count = (size_t)(small.width * small.rows);
    uint8_t *medians = malloc(3 * count), *least = medians + count, *samples = least + count;
    if (medians == NULL)
        return -1;
    take_samples(samples, least, small, band);
    int failed = 0, may = any_set(least, count);
    if (may)
        failed = find_grounds(medians, small, samples, least) < 0;
    if (may && !failed && has_ground(medians, count))
        failed = fill_grounds(medians, small, samples) < 0;
    if (may && !failed && has_ground(medians, count)) {
        Search search = {.small = small, .every = every, .medians = medians, .least = least};
        failed = search_light(band, &search, light, ink, level) < 0;
    }
    free(medians);
    return failed ? -1 : 0;
}
