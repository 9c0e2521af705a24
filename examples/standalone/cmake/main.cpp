// Runs a model on numbers from a file and writes the outputs: with_model THREADS INPUT OUTPUT
#include "model.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <vector>

// Ends with the scope: memory and threads are given back.
using Model = std::unique_ptr<model_instance, decltype(&model_destroy)>;

static void check(int code) {
  if (code != model_ok) throw std::runtime_error(model_error(code));
}

static Model make_model(int threads) {
  model_options options{};
  options.threads = threads;
  model_instance *made = nullptr;
  check(model_create(&made, &options));
  return Model(made, &model_destroy);
}

int main(int argc, char **argv) try {
  if (argc != 4) throw std::runtime_error("usage: with_model THREADS INPUT OUTPUT");
  std::vector<char> input(model_input(0)->bytes), output(model_output(0)->bytes);
  std::ifstream(argv[2], std::ios::binary).read(input.data(), std::streamsize(input.size()));
  const Model model = make_model(std::atoi(argv[1]));
  const void *inputs[] = {input.data()};
  void *outputs[] = {output.data()};
  check(model_run(model.get(), inputs, outputs));
  std::ofstream(argv[3], std::ios::binary).write(output.data(), std::streamsize(output.size()));
  std::cout << model_output(0)->name << ": " << output.size() << " bytes\n";
  return 0;
} catch (const std::exception &error) {
  std::cerr << error.what() << "\n";
  return 1;
}
