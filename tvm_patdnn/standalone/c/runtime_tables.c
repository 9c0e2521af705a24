/* ---- what a model says of itself ---- */

/* CRC-32, as zlib computes it. */
static uint32_t checksum(const uint8_t *data, size_t bytes) {
  uint32_t table[256], crc = ~0u;
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? 0xedb88320u : 0);
    table[i] = value;
  }
  for (size_t i = 0; i < bytes; i++) crc = crc >> 8 ^ table[(crc ^ data[i]) & 255];
  return ~crc;
}

static int any_null(const void *const *pointers, int count) {
  for (int i = 0; i < count; i++)
    if (pointers[i] == NULL) return 1;
  return 0;
}

PUBLIC const API(tensor) *API(input)(int index) {
  return index >= 0 && index < API(inputs) ? &input_list[index] : NULL;
}

PUBLIC const API(tensor) *API(output)(int index) {
  return index >= 0 && index < API(outputs) ? &output_list[index] : NULL;
}

PUBLIC const API(facts) *API(about)(void) { return &facts; }

PUBLIC const char *API(version)(void) { return "tvm-patdnn standalone 1, " VERSION; }
