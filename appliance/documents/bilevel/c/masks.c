#include "masks.h"

#include <string.h>

int new_masks(Mask *masks, int count, Size size)
{
    ptrdiff_t stride = (size.width + WORD - 1) / WORD;
    uint64_t *words = calloc((size_t)(count * stride * size.rows), sizeof *words);
    for (int each = 0; each < count; each++)
        masks[each] = (Mask){words == NULL ? NULL : words + each * stride * size.rows, stride, size};
    return words == NULL ? -1 : 0;
}

void free_masks(Mask *masks)
{
    free(masks->words);
    masks->words = NULL;
}

/* -- runs -------------------------------------------------------------------------------------- */

/* Bits of a word for pixels ``left`` to before ``right``, which may lie outside it. */
static uint64_t bits_of(ptrdiff_t left, ptrdiff_t right)
{
    uint64_t from = left <= 0 ? UINT64_MAX : left >= WORD ? 0 : UINT64_MAX << left;
    uint64_t below = right <= 0 ? 0 : right >= WORD ? UINT64_MAX : ~(UINT64_MAX << right);
    return from & below;
}

void mark_run(const Mask *mask, ptrdiff_t y, ptrdiff_t left, ptrdiff_t right)
{
    for (ptrdiff_t word = left / WORD; word * WORD < right; word++)
        row_of(mask, y)[word] |= bits_of(left - word * WORD, right - word * WORD);
}

void unmark_run(const Mask *mask, ptrdiff_t y, ptrdiff_t left, ptrdiff_t right)
{
    for (ptrdiff_t word = left / WORD; word * WORD < right; word++)
        row_of(mask, y)[word] &= ~bits_of(left - word * WORD, right - word * WORD);
}

static ptrdiff_t next_of(const Mask *mask, ptrdiff_t y, ptrdiff_t x, uint64_t turned)
{
    for (ptrdiff_t word = x / WORD; word < mask->stride; word++) {
        uint64_t found = (row_of(mask, y)[word] ^ turned) & bits_of(x - word * WORD, WORD);
        if (found) {
            ptrdiff_t at = word * WORD + first_of(found);
            return at < mask->size.width ? at : mask->size.width;
        }
    }
    return mask->size.width;
}

ptrdiff_t next_marked(const Mask *mask, ptrdiff_t y, ptrdiff_t x)
{
    return next_of(mask, y, x, 0);
}

ptrdiff_t next_unmarked(const Mask *mask, ptrdiff_t y, ptrdiff_t x)
{
    return next_of(mask, y, x, UINT64_MAX);
}

/* -- rows as octets ---------------------------------------------------------------------------- */

#ifdef __SSE2__ /* every x86-64 has it */

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

/* Multiplying eight octets of 0 or 1 by this gathers them as bits in the highest octet, the first in memory as the
 * least significant. */
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

uint8_t *new_line(Size size)
{
    return calloc((size_t)((size.width + WORD - 1) / WORD), WORD);
}

void take_line(const Mask *mask, ptrdiff_t y, const uint8_t *line)
{
    uint64_t *row = row_of(mask, y);
    for (ptrdiff_t word = 0; word < mask->stride; word++)
        row[word] = word_of(line + WORD * word);
}

void put_line(const Mask *mask, ptrdiff_t y, uint8_t *line)
{
    const uint64_t *row = row_of(mask, y);
    for (ptrdiff_t word = 0; word < mask->stride; word++) {
        if (row[word] == 0 || row[word] == UINT64_MAX)
            memset(line + WORD * word, (int)(row[word] & 1), WORD);
        else
            put_word(line + WORD * word, row[word]);
    }
}

/* -- whole masks ------------------------------------------------------------------------------- */

int any_in_row(const Mask *mask, ptrdiff_t y)
{
    return !is_empty(row_of(mask, y), mask->stride);
}

int any_marked(const Mask *mask)
{
    for (ptrdiff_t y = 0; y < mask->size.rows; y++)
        if (any_in_row(mask, y))
            return 1;
    return 0;
}

size_t count_marked(const Mask *mask)
{
    size_t count = 0;
    for (ptrdiff_t at = 0; at < words_of(mask); at++)
        count += bits_in(mask->words[at]);
    return count;
}

void outermost(const Mask *edge, const Mask *mask, ptrdiff_t y)
{
    const uint64_t *row = row_of(mask, y);
    const uint64_t *above = row_of(mask, y > 0 ? y - 1 : y);
    const uint64_t *below = row_of(mask, y + 1 < mask->size.rows ? y + 1 : y);
    for (ptrdiff_t word = 0; word < mask->stride; word++) {
        uint64_t left = row[word] << 1 | (word > 0 ? row[word - 1] >> (WORD - 1) : 0);
        uint64_t right = row[word] >> 1 | (word + 1 < mask->stride ? row[word + 1] << (WORD - 1) : 0);
        row_of(edge, 0)[word] = row[word] & ~(left & right & above[word] & below[word]);
    }
}

void copy_mask(const Mask *to, const Mask *from)
{
    memcpy(to->words, from->words, (size_t)words_of(from) * sizeof *to->words);
}

WIDE void add_mask(const Mask *to, const Mask *other)
{
    for (ptrdiff_t at = 0; at < words_of(to); at++)
        to->words[at] |= other->words[at];
}

WIDE void keep_mask(const Mask *to, const Mask *other)
{
    for (ptrdiff_t at = 0; at < words_of(to); at++)
        to->words[at] &= other->words[at];
}

WIDE void drop_mask(const Mask *to, const Mask *other)
{
    for (ptrdiff_t at = 0; at < words_of(to); at++)
        to->words[at] &= ~other->words[at];
}
