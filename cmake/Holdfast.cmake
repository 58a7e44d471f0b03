# How this project builds: one static library per folder of agent/, strict warnings, sanitizers by option, and
# tests that register themselves with a label.

set(HF_SANITIZE "" CACHE STRING "Sanitizers to build with, for example address,undefined or thread")
option(HF_FUZZ "Build real libFuzzer binaries (clang) instead of corpus replay drivers" OFF)
option(HF_TIDY "Run clang-tidy over every source of agent/ (needs clang)" OFF)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(hf_flags INTERFACE)
target_compile_definitions(hf_flags INTERFACE _GNU_SOURCE HF_VERSION="${PROJECT_VERSION}")
target_compile_options(hf_flags INTERFACE
    -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
    -Wvla -Wformat=2 -Wundef -Wwrite-strings -Wno-missing-field-initializers -fno-strict-aliasing
    -fstack-protector-strong -fno-common)
target_include_directories(hf_flags INTERFACE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}")
target_link_options(hf_flags INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
if(HF_SANITIZE)
    target_compile_options(hf_flags INTERFACE -fsanitize=${HF_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(hf_flags INTERFACE -fsanitize=${HF_SANITIZE})
    if(HF_SANITIZE MATCHES "undefined")
        target_compile_options(hf_flags INTERFACE -fno-sanitize-recover=undefined)
    endif()
endif()
if(HF_FUZZ)
    target_compile_options(hf_flags INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(hf_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# hf_folders(NAME ...): agent/NAME becomes the library hf_NAME.
function(hf_folders)
    foreach(name IN LISTS ARGN)
        if(EXISTS "${PROJECT_SOURCE_DIR}/agent/${name}/CMakeLists.txt")
            add_subdirectory("${PROJECT_SOURCE_DIR}/agent/${name}")
        endif()
    endforeach()
endfunction()

# hf_library(NAME SOURCES ... [LINKS ...] [PRIVATE_LINKS ...]): library hf_NAME. LINKS are what its header shows.
function(hf_library name)
    cmake_parse_arguments(arg "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
    add_library(hf_${name} STATIC ${arg_SOURCES})
    if(HF_TIDY)
        set_target_properties(hf_${name} PROPERTIES C_CLANG_TIDY "clang-tidy;--quiet")
    endif()
    target_link_libraries(hf_${name} PUBLIC hf_flags ${arg_LINKS} PRIVATE ${arg_PRIVATE_LINKS})
endfunction()

# hf_unit_test(NAME SOURCES ... LINKS ... [LABELS ...] [ARGS ...]): a cmocka program, label unit.
function(hf_unit_test name)
    cmake_parse_arguments(arg "" "" "SOURCES;LINKS;LABELS;ARGS" ${ARGN})
    add_executable(test_${name} ${arg_SOURCES})
    target_link_libraries(test_${name} PRIVATE ${arg_LINKS} PkgConfig::cmocka Threads::Threads)
    target_compile_options(test_${name} PRIVATE -Wno-missing-prototypes)
    add_test(NAME unit.${name} COMMAND test_${name} ${arg_ARGS})
    set_tests_properties(unit.${name} PROPERTIES LABELS "unit;${arg_LABELS}" TIMEOUT 120)
endfunction()

# hf_live_test(NAME ...): the same against a store that is one, label live: tests/run runs it once per store, with what
# tests/support/live says of the store in the environment. Without it fails.
function(hf_live_test name)
    hf_unit_test(${ARGV})
    set_tests_properties(unit.${name} PROPERTIES LABELS live)
endfunction()

# hf_fuzz_target(NAME SOURCES ... LINKS ...): LLVMFuzzerTestOneInput over tests/fuzz/corpus/NAME. With HF_FUZZ a
# libFuzzer binary, else a driver that replays the corpus as a ctest, label fuzz.
function(hf_fuzz_target name)
    cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
    set(corpus "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name}")
    if(HF_FUZZ)
        add_executable(fuzz_${name} ${arg_SOURCES})
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    else()
        add_executable(fuzz_${name} ${arg_SOURCES} "${PROJECT_SOURCE_DIR}/tests/fuzz/replay.c")
        add_test(NAME fuzz.${name} COMMAND fuzz_${name} "${corpus}")
        set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 120)
    endif()
    target_link_libraries(fuzz_${name} PRIVATE ${arg_LINKS} Threads::Threads)
    target_compile_options(fuzz_${name} PRIVATE -Wno-missing-prototypes)
endfunction()

# Each tests/unit/FOLDER, tests/fuzz/NAME.cmake and tests/lint brings its own tests.
function(hf_tests)
    file(GLOB folders CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/unit/*/CMakeLists.txt")
    foreach(file IN LISTS folders)
        get_filename_component(folder "${file}" DIRECTORY)
        get_filename_component(name "${folder}" NAME)
        add_subdirectory("${folder}" "${CMAKE_BINARY_DIR}/tests/unit/${name}")
    endforeach()
    file(GLOB targets CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/fuzz/*.cmake")
    foreach(file IN LISTS targets)
        include("${file}")
    endforeach()
    foreach(name IN ITEMS lint bench support rig torture corruption powerloss)
        if(EXISTS "${PROJECT_SOURCE_DIR}/tests/${name}/CMakeLists.txt")
            add_subdirectory("${PROJECT_SOURCE_DIR}/tests/${name}" "${CMAKE_BINARY_DIR}/tests/${name}")
        endif()
    endforeach()
endfunction()
