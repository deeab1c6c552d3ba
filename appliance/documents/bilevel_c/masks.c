#include "masks.h"

#include <string.h>

enum { WORD = 64 };

#ifdef __SSE2__ /* as every x86-64 has */

#include <emmintrin.h>

static uint64_t word_of(const uint8_t *octets)
{
    uint64_t word = 0;
    for (int each = 0; each < WORD; each += 16) {
        __m128i lowest = _mm_loadu_si128((const __m128i *)(octets + each));
        word |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_slli_epi16(lowest, 7)) << each;
    }
    return word;
}

static void put_word(uint8_t *octets, uint64_t word)
{
    const __m128i bits = _mm_set_epi8(-128, 64, 32, 16, 8, 4, 2, 1, -128, 64, 32, 16, 8, 4, 2, 1);
    for (int each = 0; each < WORD; each += 16, word >>= 16) {
        __m128i pair = _mm_cvtsi32_si128((int)(word & 0xFFFF));
        __m128i eight = _mm_unpacklo_epi8(pair, pair);                                  /* each octet twice */
        __m128i spread = _mm_unpacklo_epi32(_mm_unpacklo_epi16(eight, eight), _mm_setzero_si128());
        spread = _mm_shuffle_epi32(spread, _MM_SHUFFLE(2, 2, 0, 0));                    /* each eight times */
        __m128i set = _mm_cmpeq_epi8(_mm_and_si128(spread, bits), bits);
        _mm_storeu_si128((__m128i *)(octets + each), _mm_and_si128(set, _mm_set1_epi8(1)));
    }
}

#else

/* Multiplying eight octets of 0 or 1 by this leaves them as bits in the highest octet, the first one in
 * memory as the least significant. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define GATHER UINT64_C(0x8040201008040201)
#else
#define GATHER UINT64_C(0x0102040810204080)
#endif

static uint64_t word_of(const uint8_t *octets)
{
    uint64_t word = 0;
    for (int each = 0; each < WORD; each += 8) {
        uint64_t eight;
        memcpy(&eight, octets + each, sizeof eight);
        word |= (eight * GATHER >> 56) << each;
    }
    return word;
}

static void put_word(uint8_t *octets, uint64_t word)
{
    for (int each = 0; each < WORD; each++)
        octets[each] = word >> each & 1;
}

#endif

int take_mask(Mask *mask, const uint8_t *plane, Size size, int down)
{
    mask->size = size;
    mask->stride = (size.width + WORD - 1) / WORD;
    mask->words = malloc((size_t)(mask->stride * (size.rows + down)) * sizeof *mask->words);
    if (mask->words == NULL)
        return -1;
    ptrdiff_t whole = size.width / WORD, over = size.width % WORD;
    uint64_t *to = mask->words;
    for (ptrdiff_t y = 0; y < size.rows; y++, to += mask->stride, plane += size.width) {
        for (ptrdiff_t word = 0; word < whole; word++)
            to[word] = word_of(plane + WORD * word);
        if (over) {
            uint8_t rest[WORD] = {0};
            memcpy(rest, plane + WORD * whole, (size_t)over);
            to[whole] = word_of(rest);
        }
    }
    return 0;
}

void put_mask(const Mask *mask, uint8_t *plane)
{
    const uint64_t *words = mask->words;
    ptrdiff_t whole = mask->size.width / WORD, over = mask->size.width % WORD;
    for (ptrdiff_t y = 0; y < mask->size.rows; y++, words += mask->stride, plane += mask->size.width) {
        for (ptrdiff_t word = 0; word < whole; word++) {
            if (words[word] == 0 || words[word] == UINT64_MAX)
                memset(plane + WORD * word, (int)(words[word] & 1), WORD);
            else
                put_word(plane + WORD * word, words[word]);
        }
        for (ptrdiff_t each = 0; each < over; each++)
            plane[WORD * whole + each] = words[whole] >> each & 1;
    }
}

void free_mask(Mask *mask)
{
    free(mask->words);
}

static int is_empty(const uint64_t *row, ptrdiff_t words)
{
    uint64_t all = 0;
    for (ptrdiff_t word = 0; word < words; word++)
        all |= row[word];
    return all == 0;
}

/* ``to`` is ``row`` and what is so many pixels to the right of each of its pixels, as long as there are words. */
WIDE static void join_ahead(uint64_t *to, const uint64_t *row, ptrdiff_t words, ptrdiff_t ahead)
{
    const uint64_t *other = row + ahead / WORD;
    ptrdiff_t shift = ahead % WORD, count = words - ahead / WORD - 1;
    if (shift == 0)
        for (ptrdiff_t word = 0; word < count; word++)
            to[word] = row[word] | other[word];
    else
        for (ptrdiff_t word = 0; word < count; word++)
            to[word] = row[word] | other[word] >> shift | other[word + 1] << (WORD - shift);
}

/* A row as it is so many pixels farther right. */
static void take_from(uint64_t *to, const uint64_t *line, ptrdiff_t words, ptrdiff_t right)
{
    const uint64_t *from = line + right / WORD;
    ptrdiff_t shift = right % WORD;
    for (ptrdiff_t word = 0; word < words; word++)
        to[word] = shift ? from[word] >> shift | from[word + 1] << (WORD - shift) : from[word];
}

/* Windows by doubling, as in planes.c.  Empty words around a row stand for what is beyond the edge. */
static int widen_across(Mask *mask, int window)
{
    ptrdiff_t half = window / 2, margin = window / WORD + 2, words = mask->stride + 2 * margin;
    uint64_t *line = calloc((size_t)words, sizeof *line);
    if (line == NULL)
        return -1;
    for (ptrdiff_t y = 0; y < mask->size.rows; y++) {
        uint64_t *row = mask->words + y * mask->stride;
        if (is_empty(row, mask->stride))
            continue;
        memset(line, 0, (size_t)words * sizeof *line);
        memcpy(line + margin, row, (size_t)mask->stride * sizeof *line);
        ptrdiff_t covered = 1;
        for (; 2 * covered <= window; covered *= 2)
            join_ahead(line, line, words, covered);
        if (covered < window)
            join_ahead(line, line, words, window - covered);
        take_from(row, line, mask->stride, margin * WORD - half);
    }
    free(line);
    return 0;
}

WIDE static void join_below(uint64_t *to, const uint64_t *from, const uint64_t *below, ptrdiff_t count)
{
    for (ptrdiff_t word = 0; word < count; word++)
        to[word] = from[word] | below[word];
}

static void widen_down(Mask *mask, int window)
{
    ptrdiff_t half = window / 2, stride = mask->stride, rows = mask->size.rows + 2 * half;
    uint64_t *words = mask->words;
    memmove(words + half * stride, words, (size_t)(mask->size.rows * stride) * sizeof *words);
    memset(words, 0, (size_t)(half * stride) * sizeof *words);
    memset(words + (rows - half) * stride, 0, (size_t)(half * stride) * sizeof *words);
    ptrdiff_t covered = 1;
    for (; 2 * covered <= window; covered *= 2)
        join_below(words, words, words + covered * stride, (rows - covered) * stride);
    join_below(words, words, words + (window - covered) * stride, mask->size.rows * stride);
}

int widen_mask(Mask *mask, int across, int down)
{
    if (across > 1 && widen_across(mask, across) < 0)
        return -1;
    if (down > 1)
        widen_down(mask, down);
    return 0;
}

static void turn(Mask *mask)
{
    ptrdiff_t over = mask->size.width % WORD;
    for (ptrdiff_t at = 0; at < mask->stride * mask->size.rows; at++)
        mask->words[at] = ~mask->words[at];
    if (over)
        for (ptrdiff_t y = 1; y <= mask->size.rows; y++)
            mask->words[y * mask->stride - 1] &= (UINT64_C(1) << over) - 1;
}

int narrow_mask(Mask *mask, int across, int down)
{
    turn(mask);
    int failed = widen_mask(mask, across, down);
    turn(mask);
    return failed;
}
