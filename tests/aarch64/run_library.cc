// Runs a built library on the device that a test emulates.
//
//     run_library MODEL.so INPUT OUTPUT DIM...
//
// INPUT holds the float32 values of the one input, whose sizes are DIM...; OUTPUT gets those
// of the one output.
#include <tvm/ffi/container/array.h>
#include <tvm/ffi/container/tensor.h>
#include <tvm/ffi/extra/module.h>
#include <tvm/ffi/function.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace ffi = tvm::ffi;

namespace {

constexpr size_t kAlignment = 64;
constexpr int kPooledAllocator = 2;

struct AlignedMemory {
  void AllocData(DLTensor* tensor) {
    if (posix_memalign(&tensor->data, kAlignment, ffi::GetDataSize(*tensor) + kAlignment)) abort();
  }
  void FreeData(DLTensor* tensor) { free(tensor->data); }
};

ffi::Tensor ReadTensor(const char* path, const std::vector<int64_t>& sizes) {
  ffi::Tensor tensor = ffi::Tensor::FromNDAlloc(AlignedMemory(), ffi::ShapeView(sizes.data(), sizes.size()),
                                                DLDataType{kDLFloat, 32, 1}, DLDevice{kDLCPU, 0});
  std::ifstream file(path, std::ios::binary);
  file.read(static_cast<char*>(tensor.data_ptr()), tensor.numel() * sizeof(float));
  if (!file) abort();
  return tensor;
}

void WriteTensor(const char* path, const ffi::Tensor& tensor) {
  std::ofstream file(path, std::ios::binary);
  file.write(static_cast<const char*>(tensor.data_ptr()), tensor.numel() * sizeof(float));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  std::vector<int64_t> sizes;
  for (int i = 4; i < argc; ++i) sizes.push_back(std::stoll(argv[i]));
  ffi::Module library = ffi::Module::LoadFromFile(argv[1]);
  ffi::Module machine = (*library->GetFunction("vm_load_executable"))().cast<ffi::Module>();
  (*machine->GetFunction("vm_initialization"))(static_cast<int>(kDLCPU), 0, kPooledAllocator);
  ffi::Any result = (*machine->GetFunction("main"))(ReadTensor(argv[2], sizes));
  WriteTensor(argv[3], result.cast<ffi::Tensor>());
  return 0;
}
