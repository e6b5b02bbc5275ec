// JPEGs of pixels by libjpeg-turbo. Errors come back through longjmp, as in jpeg.c.
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include <jpeglib.h>

typedef struct {
  struct jpeg_error_mgr errors;
  jmp_buf failed;
} encode_errors;

static void on_error(j_common_ptr info) { longjmp(((encode_errors *)info->err)->failed, 1); }

static void on_output(j_common_ptr info) { (void)info; }

int cluster_image_encode(const uint8_t *pixels, int width, int height, size_t pitch, int quality, uint8_t **encoded, size_t *length) {
  struct jpeg_compress_struct info;
  encode_errors errors;
  unsigned char *volatile kept = NULL;
  unsigned char *memory = NULL;
  unsigned long size = 0;
  memset(&info, 0, sizeof info);
  info.err = jpeg_std_error(&errors.errors);
  errors.errors.error_exit = on_error;
  errors.errors.output_message = on_output;
  if (setjmp(errors.failed)) {
    jpeg_destroy_compress(&info);
    free(kept);
    return -1;
  }
  jpeg_create_compress(&info);
  // Room for the worst case, so that the destination never has to grow and there is one pointer to free.
  size = (unsigned long)width * (unsigned long)height * 4 + 65536;
  kept = memory = malloc(size);
  if (!memory) {
    jpeg_destroy_compress(&info);
    return -1;
  }
  jpeg_mem_dest(&info, &memory, &size);
  info.image_width = (JDIMENSION)width;
  info.image_height = (JDIMENSION)height;
  info.input_components = 4;
  info.in_color_space = JCS_EXT_RGBX;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  info.dct_method = JDCT_ISLOW;
  info.optimize_coding = TRUE;
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = (JSAMPROW)(pixels + (size_t)info.next_scanline * pitch);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  if (memory != kept) free(kept);
  *encoded = memory;
  *length = size;
  return 0;
}

void cluster_image_free(uint8_t *encoded) { free(encoded); }
