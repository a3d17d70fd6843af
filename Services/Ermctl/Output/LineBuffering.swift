@preconcurrency import Glibc

/// Line-buffered standard output: each line is written when it is printed, into a pipe or a file too.
enum LineBuffering {
    static func begin() { setvbuf(stdout, nil, _IOLBF, 0) }
}
