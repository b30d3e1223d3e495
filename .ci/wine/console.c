/* Runs a program in the console of this process under a code page, then writes what stands on the screen into a file, in UTF-8.
   console.exe CODEPAGE FILE PROGRAM ARGUMENT…; ends as the program does, or with 90 and more if there is no console.
   x86_64-w64-mingw32-gcc -municode -o console.exe console.c */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

int wmain(int argc, wchar_t **argv)
{
    static wchar_t line[32768], row[1024];
    static char bytes[4096];
    CONSOLE_SCREEN_BUFFER_INFO info;
    STARTUPINFOW start = {.cb = sizeof start};
    PROCESS_INFORMATION child;
    DWORD code = 0, count;
    HANDLE screen = CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    FILE *file;
    if (argc < 4 || screen == INVALID_HANDLE_VALUE) return 90;
    if (!SetConsoleOutputCP(_wtoi(argv[1])) || !SetConsoleCP(_wtoi(argv[1]))) return 91;
    for (int i = 3; i < argc; i++) {
        wcscat(line, L"\"");
        wcscat(line, argv[i]);
        wcscat(line, L"\" ");
    }
    if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &start, &child)) return 92;
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &code);
    if (!(file = _wfopen(argv[2], L"wb")) || !GetConsoleScreenBufferInfo(screen, &info)) return 93;
    for (SHORT y = 0; y <= info.dwCursorPosition.Y; y++) {
        COORD at = {0, y};
        if (!ReadConsoleOutputCharacterW(screen, row, info.dwSize.X < 1024 ? info.dwSize.X : 1024, at, &count)) return 94;
        while (count && row[count - 1] == L' ') count--;
        int length = WideCharToMultiByte(CP_UTF8, 0, row, count, bytes, sizeof bytes, NULL, NULL);
        fwrite(bytes, 1, length, file);
        fputc('\n', file);
    }
    fclose(file);
    return code;
}
