// Rules that come with the agent: few, and each for what hardly anything good contains. An operator's own
// rules stand in the files of `sources.malware.rules`. `class` is a subclass of GB/T 20986-2023.

rule eicar_test_file
{
    meta:
        class = "MPEVIR"
        severity = "low"
        description = "the test file of EICAR: the scanner works"
    strings:
        $eicar = { 58 35 4F 21 50 25 40 41 50 5B 34 5C 50 5A 58 35 34 28 50 5E 29 37 43 43 29 37 7D 24 45 49 43 41 52 }
    condition:
        $eicar at 0
}

rule php_one_line_webshell
{
    meta:
        class = "NABACKIMPL"
        severity = "high"
        description = "a PHP page that runs what a request holds"
    strings:
        $eval = /\b(eval|assert|system|passthru|shell_exec|popen|proc_open|create_function)\s{0,20}\(\s{0,20}@?\s{0,20}(base64_decode\s{0,5}\(\s{0,5}|gzinflate\s{0,5}\(\s{0,5}|stripslashes\s{0,5}\(\s{0,5}){0,3}\$_(GET|POST|REQUEST|COOKIE|SERVER)\b/ nocase
        $call = /\$_(GET|POST|REQUEST|COOKIE)\s{0,5}\[[^\]]{1,40}\]\s{0,5}\(\s{0,5}\$_(GET|POST|REQUEST|COOKIE)\b/ nocase
    condition:
        filesize < 2MB and any of them
}

rule jsp_webshell
{
    meta:
        class = "NABACKIMPL"
        severity = "high"
        description = "a JSP page that runs a request's command, or loads its class"
    strings:
        $run = /getRuntime\s{0,5}\(\s{0,5}\)\s{0,5}\.\s{0,5}exec\s{0,5}\(\s{0,5}request\s{0,5}\.\s{0,5}getParameter/
        $load = /defineClass\s{0,5}\(/
        $request = /request\s{0,5}\.\s{0,5}get(Parameter|Reader|InputStream|Header)/
        $base64 = /(sun\.misc\.BASE64Decoder|java\.util\.Base64)/
    condition:
        filesize < 2MB and ($run or ($load and $request and $base64))
}

rule miner_configuration
{
    meta:
        class = "MPMINER"
        severity = "medium"
        description = "a program or file that names a mining pool's protocol and how to mine"
    strings:
        $pool = /stratum\+(tcp|ssl|tls):\/\//
        $donate = "donate-level"
        $algorithm = "randomx" nocase
        $cryptonight = "cryptonight" nocase
    condition:
        filesize < 32MB and $pool and 1 of ($donate, $algorithm, $cryptonight)
}

rule ransom_note
{
    meta:
        class = "MPRANS"
        severity = "high"
        description = "a note that asks for money to decrypt files"
    strings:
        $encrypted = /(all )?(of )?your (files|documents|data|network)[^.!]{0,60}(have been|has been|are|is|were) (encrypted|locked)/ nocase
        $encrypted_zh = "文件已被加密"
        $pay = /(bitcoin|btc wallet|monero|\.onion\b|tor browser)/ nocase
        $pay_zh = "比特币"
    condition:
        filesize < 100KB and 1 of ($encrypted*) and 1 of ($pay*)
}

rule reverse_shell_script
{
    meta:
        class = "NABACKDOOR"
        severity = "high"
        description = "a script that hands a shell to another host"
    strings:
        $bash = /bash\s+-i\s{0,5}>&?\s{0,5}\/dev\/(tcp|udp)\/[\w.:-]+\/\d+/
        $python = /socket\.socket\([^)]{0,80}\)[\s\S]{0,200}connect\(\([\s\S]{0,200}dup2\([\s\S]{0,300}(\/bin\/(ba|da|z)?sh|pty\.spawn)/
        $netcat = /mkfifo\s+\S+[\s\S]{0,120}\|\s{0,5}(nc|ncat|netcat)\s/
    condition:
        filesize < 200KB and any of them
}
