/* A kernel on trial, as TVM calls it: main(inputs, output), tensors in the host's memory. The first
   call brings the inputs to the device and the output back; later ones only compute: those are
   timed. Compile it with what a model needs, and with the headers of TVM's FFI. */
#include "@name@.c"
#include <tvm/ffi/c_api.h>

static void *data_of(const TVMFFIAny *value) {
  const DLTensor *tensor = value->type_index == kTVMFFIDLTensorPtr
                               ? (const DLTensor *)value->v_ptr
                               : (const DLTensor *)((const char *)value->v_obj + sizeof(TVMFFIObject));
  return (char *)tensor->data + tensor->byte_offset;
}

static int first(instance **made, const TVMFFIAny *args) {
  const void *inputs[API(inputs) + 1];
  void *outputs[] = {data_of(&args[API(inputs)])};
  for (int i = 0; i < API(inputs); i++) inputs[i] = data_of(&args[i]);
  int code = API(create)(made, NULL);
  return code ? code : API(run)(*made, inputs, outputs);
}

PUBLIC int32_t __tvm_ffi_main(void *self, const TVMFFIAny *args, int32_t count, TVMFFIAny *result) {
  static instance *made;
  char text[sizeof said + 256];
  (void)self;
  result->type_index = kTVMFFINone;
  if (count != API(inputs) + 1) {
    TVMFFIErrorSetRaisedFromCStr("TypeError", "expected the inputs and one output");
    return -1;
  }
  int code = made ? launch_all(made) : first(&made, args);
  if (code == API(ok) && (code = finish(made)) == API(ok)) return 0;
  snprintf(text, sizeof text, "%s: %s", API(error)(code), said);
  TVMFFIErrorSetRaisedFromCStr("RuntimeError", text);
  return -1;
}
