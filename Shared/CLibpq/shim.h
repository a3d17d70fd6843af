#include <libpq-fe.h>

// What the wrapper waits for sockets with; Swift's Glibc module leaves these out.
#include <sys/epoll.h>
#include <sys/eventfd.h>
