// Regions of a JPEG by libjpeg-turbo. Its errors come back through longjmp; every function that calls it sets the place first.
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include <jpeglib.h>
#include <jerror.h>

// Chroma that is stored at half the width is interpolated between neighbours, so a column at the edge of what is decoded
// would differ from the same column of the whole image. Columns that are decoded and thrown away, a side.
#define MARGIN 4

struct jpeg_half {
  struct jpeg_decompress_struct info;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  jmp_buf failed;
  cluster_image_decoder *decoder;
  int created;
  int has_end;    // an end-of-image marker stands behind the first scan
  int rows_left;  // of the region
  int inverted;   // rows come as CMYK, each of the four turned round, as Adobe writes them
};

static jpeg_half *half_of(j_common_ptr info) { return (jpeg_half *)info->client_data; }

static void on_error(j_common_ptr info) {
  jpeg_half *half = half_of(info);
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  cluster_fail(half->decoder, "%s", text);
  longjmp(half->failed, 1);
}

// Warnings are damage that libjpeg can go on from. What is missing at the end is an error; the rest is decoded as Pillow does.
static void on_message(j_common_ptr info, int level) {
  if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF) {
    cluster_fail(half_of(info)->decoder, "it ends too early (truncated)");
    longjmp(half_of(info)->failed, 1);
  }
}

static void on_output(j_common_ptr info) { (void)info; }

// A few kilobytes can claim thousands of scans over a large image, each of which takes as long as the first.
static void on_progress(j_common_ptr info) {
  jpeg_half *half = half_of(info);
  if (half->info.input_scan_number > half->decoder->limits.scans) {
    cluster_fail(half->decoder, "it has more than %d scans", half->decoder->limits.scans);
    longjmp(half->failed, 1);
  }
}

static int begin(jpeg_half *half) {
  half->info.err = jpeg_std_error(&half->errors);
  half->errors.error_exit = on_error;
  half->errors.emit_message = on_message;
  half->errors.output_message = on_output;
  half->info.client_data = half;
  if (setjmp(half->failed)) return -1;
  jpeg_create_decompress(&half->info);
  half->created = 1;
  // Creation clears what was set before it.
  half->info.client_data = half;
  half->progress.progress_monitor = on_progress;
  half->info.progress = &half->progress;
  return 0;
}

void cluster_jpeg_destroy(jpeg_half *half) {
  if (half->created) jpeg_destroy_decompress(&half->info);
  free(half);
}

jpeg_half *cluster_jpeg_create(cluster_image_decoder *decoder) {
  jpeg_half *half = calloc(1, sizeof *half);
  if (!half) return NULL;
  half->decoder = decoder;
  if (begin(half) == 0) return half;
  cluster_jpeg_destroy(half);
  return NULL;
}

void cluster_jpeg_close(jpeg_half *half) {
  if (setjmp(half->failed)) return;
  jpeg_abort_decompress(&half->info);
}

// In entropy-coded data 0xFF is always followed by 0 or a restart marker, so this finds the true end or a second scan's.
static int ends_in_marker(const uint8_t *data, size_t length) {
  for (size_t i = length; i >= 2; i--)
    if (data[i - 1] == 0xD9 && data[i - 2] == 0xFF) return 1;
  return 0;
}

int cluster_jpeg_open(jpeg_half *half, const uint8_t *data, size_t length, cluster_image_header *header) {
  if (setjmp(half->failed)) return -1;
  half->errors.num_warnings = 0;
  jpeg_mem_src(&half->info, data, (unsigned long)length);
  jpeg_read_header(&half->info, TRUE);
  header->width = (int32_t)half->info.image_width;
  header->height = (int32_t)half->info.image_height;
  header->channels = half->info.num_components;
  header->progressive = half->info.progressive_mode;
  if (header->channels != 1 && header->channels != 3 && header->channels != 4)
    return cluster_fail(half->decoder, "a JPEG of %d channels is not supported", header->channels);
  half->has_end = ends_in_marker(half->info.src->next_input_byte, half->info.src->bytes_in_buffer);
  return cluster_check_size(half->decoder, header->width, header->height);
}

// Decodes rows into memory that goes with the image.
static int pass_over(struct jpeg_decompress_struct *info, JDIMENSION end) {
  JSAMPARRAY line = info->mem->alloc_sarray((j_common_ptr)info, JPOOL_IMAGE, info->output_width * 4, 1);
  while (info->output_scanline < end)
    if (jpeg_read_scanlines(info, line, 1) == 0) return -1;
  return 0;
}

int cluster_jpeg_start(jpeg_half *half, int divisor, int x, int y, int width, int height, cluster_image_rows *rows) {
  struct jpeg_decompress_struct *info = &half->info;
  if (setjmp(half->failed)) return -1;
  if (divisor != 1 && divisor != 2 && divisor != 4 && divisor != 8) return cluster_fail(half->decoder, "divisor %d is not 1, 2, 4 or 8", divisor);
  info->scale_num = 1;
  info->scale_denom = (unsigned)divisor;
  info->dct_method = JDCT_ISLOW;
  half->inverted = info->num_components == 4;
  info->out_color_space = half->inverted ? JCS_CMYK : JCS_EXT_RGBX;
  jpeg_start_decompress(info);

  const int whole = (int)info->output_width;
  if (x < 0 || y < 0 || width < 1 || height < 1 || x > whole - width || y > (int)info->output_height - height)
    return cluster_fail(half->decoder, "region %d,%d %dx%d lies outside %dx%d", x, y, width, height, whole, (int)info->output_height);
  const int right = x + width + MARGIN < whole ? x + width + MARGIN : whole;
  JDIMENSION left = (JDIMENSION)(x > MARGIN ? x - MARGIN : 0);
  JDIMENSION columns = (JDIMENSION)right - left;
  // Chroma at an eighth (4x2, 2x4: rare) comes out otherwise in a region than in the whole: libjpeg-turbo
  // 2.1.5, measured. Such an image is decoded from its first row on, in whole rows.
  if (info->max_h_samp_factor * info->max_v_samp_factor > 4) {
    left = 0;
    columns = (JDIMENSION)whole;
    if (pass_over(info, (JDIMENSION)y)) return cluster_fail(half->decoder, "no more rows come");
  } else {
    if (left > 0 || columns < (JDIMENSION)whole) jpeg_crop_scanline(info, &left, &columns);
    if (y > 0 && jpeg_skip_scanlines(info, (JDIMENSION)y) != (JDIMENSION)y) return cluster_fail(half->decoder, "row %d could not be reached", y);
  }
  rows->width = (int32_t)columns;
  rows->skip = x - (int32_t)left;
  half->rows_left = height;
  return 0;
}

// Naive CMYK as Pillow's convert("RGB") has it: white minus black, scaled by what the ink lets through; in place.
static void from_inverted(uint8_t *row, size_t pixels) {
  for (uint8_t *pixel = row; pixel < row + 4 * pixels; pixel += 4) {
    // 255 - black; the stored values are 255 minus the ink.
    const unsigned white = pixel[3];
    for (int channel = 0; channel < 3; channel++) {
      const unsigned product = (255u - pixel[channel]) * white + 128;
      pixel[channel] = (uint8_t)(white - ((product + (product >> 8)) >> 8));
    }
  }
}

int cluster_jpeg_read(jpeg_half *half, uint8_t *destination, size_t pitch, int count) {
  struct jpeg_decompress_struct *info = &half->info;
  if (count > half->rows_left) return cluster_fail(half->decoder, "%d rows are left, not %d", half->rows_left, count);
  if (pitch < (size_t)info->output_width * 4) return cluster_fail(half->decoder, "a row needs %zu bytes", (size_t)info->output_width * 4);
  if (setjmp(half->failed)) return -1;
  const JDIMENSION end = info->output_scanline + (JDIMENSION)count, first = info->output_scanline;
  while (info->output_scanline < end) {
    JSAMPROW lines[16];
    int wanted = 0;
    for (JDIMENSION line = info->output_scanline; line < end && wanted < 16; line++) lines[wanted++] = destination + (size_t)(line - first) * pitch;
    if (jpeg_read_scanlines(info, lines, (JDIMENSION)wanted) == 0) return cluster_fail(half->decoder, "no more rows come");
  }
  half->rows_left -= count;
  if (half->inverted)
    for (int row = 0; row < count; row++) from_inverted(destination + (size_t)row * pitch, info->output_width);
  return 0;
}

int cluster_jpeg_finish(jpeg_half *half) {
  struct jpeg_decompress_struct *info = &half->info;
  // Whether a file is whole must not hang on which region was asked for: without its end marker all of it is decoded.
  if (half->has_end || info->output_scanline >= info->output_height) return 0;
  if (setjmp(half->failed)) return -1;
  // Skipping to the very end would look at nothing, so the last row is decoded.
  const JDIMENSION rest = info->output_height - info->output_scanline;
  if (rest > 1) jpeg_skip_scanlines(info, rest - 1);
  return pass_over(info, info->output_height) ? cluster_fail(half->decoder, "no more rows come") : 0;
}
