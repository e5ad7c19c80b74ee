/* BASE_IS_SANITIZED: defined in a build with AddressSanitizer, which gcc and clang tell in words of their own. */
#ifndef FWC_BASE_SANITIZED_H
#define FWC_BASE_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__)
#define BASE_IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BASE_IS_SANITIZED 1
#endif
#endif

#endif
