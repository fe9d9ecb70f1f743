/* What the C library keeps of memory that the process has freed. */
#include "native.h"

#include <malloc.h>

/* returnFreedMemory(): pages on which nothing is in use go back to the kernel. By itself glibc gives back only what is free at the end of its
 * heap, and one small piece that lives on there keeps all before it. Other C libraries keep less, and have no such call. */
static napi_value return_freed_memory(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  return NULL;
}

void define_memory(napi_env env, napi_value exports) {
  define_function(env, exports, "returnFreedMemory", return_freed_memory);
}
