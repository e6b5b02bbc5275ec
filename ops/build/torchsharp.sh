# Sourced by feed.sh: one package out of a checkout of TorchSharp, whose native half runs on the libtorch that is installed.
# Expects: packages, framework and the function pack.
# TorchSharp 0.107 is written against libtorch 2.10. Over libtorch 1.13 its native half is compiled without the two things
# that came with libtorch 2 and with a handful of calls put in libtorch 1.13's words; the product uses none of them.

# torchsharp_version COPY: what the checkout says of itself.
torchsharp_version() {
  perl -ne 'print "$1." if m{<(?:Major|Minor)Version>(\d+)<}; print $1 if m{<PatchVersion>(\d+)<}' "$1/build/BranchInfo.props"
}

# torchsharp_for_libtorch_1 NATIVE: takes back what libtorch 1 has not, or has with fewer arguments.
torchsharp_for_libtorch_1() {
  local native=$1
  sed -i '/THSExport/d' "$native/CMakeLists.txt"     # loading of exported programs
  perl -0777 -pi -e 's{^Tensor THSNN_scaled_dot_product_attention\(.*?^\}}{}ms' "$native/THSNN.cpp"
  perl -pi -e 's/, jvp_fn, \{\}, view_as_self_fn, false\)/, jvp_fn)/' "$native/THSAutograd.cpp"
  perl -pi -e 's/ == at::CuBLASReductionOption::\w+//; s/(setAllowFP16ReductionCuBLAS\(flag), true\)/$1)/' "$native/THSTorch.cpp"
  perl -pi -e 's/c10::optional<c10::SymInt>/c10::optional<int64_t>/g; s/std::optional/c10::optional/g' "$native/THSFFT.cpp" "$native/THSTensor.cpp"
}

# torchsharp_native COPY: builds libLibTorchSharp.so and prints where it is.
torchsharp_native() {
  local native=$1/src/Native build=$1/native-build libtorch
  # A distribution's libtorch has its own C++ ABI and its headers warn.
  sed -i -E '/-Werror|_GLIBCXX_USE_CXX11_ABI/d' "$native/CMakeLists.txt"
  # Every file reads all of libtorch's headers: read once for all of them.
  echo 'target_precompile_headers(LibTorchSharp PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:torch/torch.h>")' >>"$native/LibTorchSharp/CMakeLists.txt"
  configure() {
    # It only forwards: -O1 spares minutes of compiling.
    cmake -S "$native" -B "$build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE='-O1 -DNDEBUG' ${Torch_DIR:+-DTorch_DIR="$Torch_DIR"} \
      >"$build.log" 2>&1 || { tail -20 "$build.log" >&2; echo "cmake could not configure TorchSharp's native half" >&2; return 1; }
  }
  configure || return 1
  # Of type UNINITIALIZED where it was given and nothing looked for it.
  libtorch=$(sed -nE 's/^Torch_DIR:[A-Z]+=(.*)/\1/p' "$build/CMakeCache.txt")
  [[ -f $libtorch/TorchConfigVersion.cmake ]] ||
    { echo "no TorchConfigVersion.cmake in '$libtorch': give Torch_DIR, the folder of libtorch that holds it (…/share/cmake/Torch)" >&2; return 1; }
  if grep -qE 'PACKAGE_VERSION "?1\.' "$libtorch/TorchConfigVersion.cmake"; then
    torchsharp_for_libtorch_1 "$native/LibTorchSharp"
    configure || return 1
  fi
  echo "compiling TorchSharp's native half against $libtorch: half an hour on two busy cores" >&2
  cmake --build "$build" --target LibTorchSharp -j "${FEED_JOBS:-2}" >>"$build.log" 2>&1 ||
    { grep -E 'error|Error' "$build.log" | head -20 >&2; echo "TorchSharp's native half does not compile against $libtorch" >&2; return 1; }
  printf '%s\n' "$build/LibTorchSharp/libLibTorchSharp.so"
}

# torchsharp_project COPY LIBRARY: the managed half as a project that packs itself and LIBRARY. Left out: the writer of
# tensorboard files and the unpacker of archives, the only parts that ask for SkiaSharp, SharpZipLib and protobuf.
torchsharp_project() {
  local managed=$1/src/TorchSharp library=$2 libtorch cuda
  libtorch=$(sed -nE 's#.*<LibTorchPackageVersion>([0-9.]+)<.*#\1#p' "$1/Directory.Build.props" | head -1)
  cuda=$(sed -nE 's#.*<CudaVersionDot>([0-9.]+)<.*#\1#p' "$1/build/Dependencies.props" | head -1)
  rm -rf "$managed/Utils/tensorboard" "$managed/Utils/Decompress.cs" "$managed/netstandard.cs" "$1"/Directory.Build.*
  grep -rlE '^\s*using .*(Google\.Protobuf|SkiaSharp|ICSharpCode)' "$managed" --include='*.cs' |
    xargs -r sed -i -E '/^\s*using .*(Google\.Protobuf|SkiaSharp|ICSharpCode)/d'
  cat >"$managed/TorchSharp.csproj" <<PROJECT
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <LangVersion>9.0</LangVersion>
    <AllowUnsafeBlocks>true</AllowUnsafeBlocks>
    <WarningLevel>0</WarningLevel>
    <SignAssembly>true</SignAssembly>
    <AssemblyOriginatorKeyFile>../../build/TorchSharp.snk</AssemblyOriginatorKeyFile>
    <DefineConstants>\$(DefineConstants);LIBTORCH_${libtorch//./_};CUDA_${cuda//./_}</DefineConstants>
    <Authors>The TorchSharp contributors</Authors>
    <PackageLicenseExpression>MIT</PackageLicenseExpression>
    <Description>TorchSharp without its tensorboard and archive helpers, for one libtorch of one machine.</Description>
  </PropertyGroup>
  <ItemGroup>
    <None Include="$library" Pack="true" PackagePath="runtimes/linux-x64/native/" />
  </ItemGroup>
</Project>
PROJECT
}

# pack_torchsharp COPY
pack_torchsharp() {
  local library
  library=$(torchsharp_native "$1")
  torchsharp_project "$1" "$library"
  pack "$(torchsharp_version "$1")" "$1/src/TorchSharp/TorchSharp.csproj"
}
