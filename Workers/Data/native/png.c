// Rows of a PNG by libpng, as Pillow's convert("RGB") has them: alpha and gamma are dropped, 16 bits keep their upper 8.
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include <png.h>

// Bytes that an ancillary chunk (a text, a colour profile) may unpack to; none of them is used.
#define CHUNK_BYTES (8u << 20)
#define CHUNKS 1000

struct png_half {
  png_structp png;
  png_infop info;
  jmp_buf failed;
  cluster_image_decoder *decoder;
  const uint8_t *next;
  size_t left;
  int width, height;
  int interlaced;
  int row;       // the next one to deliver
  int end;       // of the region
  uint8_t *line;   // a row that is read and thrown away
  uint8_t **rows;  // all of an interlaced image
  uint8_t *whole;
};

static void on_error(png_structp png, png_const_charp message) {
  png_half *half = png_get_error_ptr(png);
  cluster_fail(half->decoder, "%s", message);
  longjmp(half->failed, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void on_read(png_structp png, png_bytep destination, size_t length) {
  png_half *half = png_get_io_ptr(png);
  if (length > half->left) {
    cluster_fail(half->decoder, "it ends too early (truncated)");
    longjmp(half->failed, 1);
  }
  memcpy(destination, half->next, length);
  half->next += length;
  half->left -= length;
}

png_half *cluster_png_create(cluster_image_decoder *decoder) {
  png_half *half = calloc(1, sizeof *half);
  if (half) half->decoder = decoder;
  return half;
}

void cluster_png_close(png_half *half) {
  if (half->png) png_destroy_read_struct(&half->png, &half->info, NULL);
  free(half->line);
  free(half->rows);
  free(half->whole);
  half->png = NULL;
  half->info = NULL;
  half->line = half->whole = NULL;
  half->rows = NULL;
}

void cluster_png_destroy(png_half *half) {
  cluster_png_close(half);
  free(half);
}

int cluster_png_open(png_half *half, const uint8_t *data, size_t length, cluster_image_header *header) {
  if (setjmp(half->failed)) return -1;
  half->next = data;
  half->left = length;
  half->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, half, on_error, on_warning);
  half->info = half->png ? png_create_info_struct(half->png) : NULL;
  if (!half->info) return cluster_fail(half->decoder, "no memory for a PNG decoder");
  png_set_read_fn(half->png, half, on_read);
  // Its own limits are lifted: the ones here speak plainly and come before anything is allocated.
  png_set_user_limits(half->png, 0x7FFFFFFF, 0x7FFFFFFF);
  png_set_chunk_malloc_max(half->png, CHUNK_BYTES);
  png_set_chunk_cache_max(half->png, CHUNKS);
  png_read_info(half->png, half->info);
  header->channels = png_get_channels(half->png, half->info);
  half->interlaced = png_get_interlace_type(half->png, half->info) != PNG_INTERLACE_NONE;
  header->progressive = half->interlaced;
  const int64_t width = png_get_image_width(half->png, half->info), height = png_get_image_height(half->png, half->info);
  if (cluster_check_size(half->decoder, width, height)) return -1;
  header->width = half->width = (int)width;
  header->height = half->height = (int)height;
  return 0;
}

int cluster_png_start(png_half *half, int divisor, int x, int y, int width, int height, cluster_image_rows *rows) {
  if (setjmp(half->failed)) return -1;
  if (divisor != 1) return cluster_fail(half->decoder, "divisor %d of a PNG is not 1", divisor);
  if (x < 0 || y < 0 || width < 1 || height < 1 || x > half->width - width || y > half->height - height)
    return cluster_fail(half->decoder, "region %d,%d %dx%d lies outside %dx%d", x, y, width, height, half->width, half->height);
  const int colour = png_get_color_type(half->png, half->info);
  if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(half->png);
  if (!(colour & PNG_COLOR_MASK_COLOR)) {
    png_set_expand_gray_1_2_4_to_8(half->png);
    png_set_gray_to_rgb(half->png);
  }
  png_set_strip_16(half->png);
  png_set_strip_alpha(half->png);
  png_set_filler(half->png, 0xFF, PNG_FILLER_AFTER);
  png_set_interlace_handling(half->png);
  png_read_update_info(half->png, half->info);
  const size_t pitch = (size_t)half->width * 4;
  if (png_get_rowbytes(half->png, half->info) != pitch) return cluster_fail(half->decoder, "its pixels are of a kind that is not supported");

  rows->width = half->width;
  rows->skip = x;
  half->row = y;
  half->end = y + height;
  if (half->interlaced) {
    half->whole = malloc(pitch * (size_t)half->height);
    half->rows = malloc(sizeof *half->rows * (size_t)half->height);
    if (!half->whole || !half->rows) return cluster_fail(half->decoder, "no memory for %d x %d pixels", half->width, half->height);
    for (int row = 0; row < half->height; row++) half->rows[row] = half->whole + pitch * (size_t)row;
    png_read_image(half->png, half->rows);
    return 0;
  }
  half->line = malloc(pitch);
  if (!half->line) return cluster_fail(half->decoder, "no memory for a row of %d pixels", half->width);
  for (int row = 0; row < y; row++) png_read_row(half->png, half->line, NULL);
  return 0;
}

int cluster_png_read(png_half *half, uint8_t *destination, size_t pitch, int count) {
  if (setjmp(half->failed)) return -1;
  if (count > half->end - half->row) return cluster_fail(half->decoder, "%d rows are left, not %d", half->end - half->row, count);
  if (pitch < (size_t)half->width * 4) return cluster_fail(half->decoder, "a row needs %zu bytes", (size_t)half->width * 4);
  for (int row = 0; row < count; row++, half->row++) {
    uint8_t *target = destination + (size_t)row * pitch;
    if (half->interlaced)
      memcpy(target, half->rows[half->row], (size_t)half->width * 4);
    else
      png_read_row(half->png, target, NULL);
  }
  return 0;
}

int cluster_png_finish(png_half *half) {
  if (setjmp(half->failed)) return -1;
  // Whether a file is whole must not hang on which region was asked for.
  if (!half->interlaced && half->line)
    for (; half->row < half->height; half->row++) png_read_row(half->png, half->line, NULL);
  return 0;
}
