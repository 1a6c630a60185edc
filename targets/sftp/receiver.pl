# Writes files, renames, links and removes names, as it is told on standard input, and answers for each on standard output.
#
# Slipway starts it on a target's server, over the SSH connection that it has anyway (unless transfer = "sftp"). It needs nothing
# but Perl's own modules, keeps nothing, and ends with its input. What one request is:
#
#   F <mode> <time> <sync> <size> <length>\n<path><content>k   a new file; "-": no mode, no time; without the k it is not kept
#   R <length> <length>\n<old><new>                             rename
#   L <length> <length>\n<old><new>                             a second name
#   U <length> 0\n<path>                                        unlink
#   M <mode> <length> 0\n<path>                                 a new folder, with exactly this mode
#   S <length> 0\n<path>                                        what lies there
#   B 0 0\n                                                     from here on refusals count
#   +R, +U                                                      the same, unless something was refused since the last B
#
# The answer is ".", or "!<what> <error's name> <error's text>\n", which is said as soon as it is known; to S it is
# "=<mode> <size> <time>\n". Every path is taken as it
# is, each time anew: a folder that was renamed meanwhile is not there any more, which is what keeps an engine out that should
# have stopped. Anything else ends the program: what follows could be a part of a file, and no word of it an order.
# A shell that takes this for its own commands ends here.
exec "false" if 0;
use strict;
use warnings;
use Fcntl qw(O_WRONLY O_CREAT O_EXCL);

my $CHUNK = 256 * 1024;
# Answers that go out together: what is said is a packet, and wakes two processes, which costs as much as a small file.
my $TOGETHER = 256;
my $NEW = O_WRONLY | O_CREAT | O_EXCL;
my @ERRORS = qw(ENOENT ENOTDIR EEXIST EACCES EPERM ENOSPC EDQUOT EFBIG EROFS EXDEV ENOTEMPTY EISDIR EINVAL ELOOP EBUSY ENAMETOOLONG
    EMLINK EIO);
# Linux's F_SETPIPE_SZ. A pipe has room for 64 KiB otherwise: sshd and this program would wake each other more often, and what
# finds no room sshd keeps in memory, all of which it copies whenever more comes.
my $PIPE_SIZE = 1031;
my $ROOM = 1024 * 1024;
# Files that are open at once before they are synced: a disk writes what lies beside each other once, and not for each.
my $UNSYNCED = 32;
# $partial: the file under way, which is not kept if this ends before it is whole. $refused: whether something was since the last B.
my ($in, $answers, $unsaid, $said, $refused, $partial) = ("", "", 0, 0, 0);
# Files that are whole, but not on the disk yet, and for which nothing was answered: handle and path of each.
my @unsynced;
my $standard_input = "";
vec($standard_input, 0, 1) = 1;

# Ends whatever is under way: nobody is there any more.
sub gone { die "gone\n" }

sub say_all {
    $said = time;
    $unsaid = 0;
    while (length $answers) {
        my $sent = syswrite STDOUT, $answers;
        defined $sent or gone();
        substr($answers, 0, $sent) = "";
    }
}

sub waiting { return select my $ready = $standard_input, undef, undef, 0 }

# Some more input; answers go out before it is waited for. A slow disk must not look like a dead one: at least every second.
sub more {
    settle() if @unsynced and not waiting();
    say_all() if length $answers and (time != $said or not waiting());
    return if sysread STDIN, $in, $CHUNK, length $in;
    say_all();
    gone();
}

# What went wrong, as an answer.
sub reason {
    my ($doing) = @_;
    my ($text, $name) = ("$!", "EIO");
    $refused = 1;
    for my $known (@ERRORS) { $name = $known if $!{$known} }
    return "!$doing $name $text\n";
}

# Answers at once that something went wrong, which is true: the rest of a large file need not come.
sub fault {
    my $said = reason(@_);
    settle();
    $answers .= $said;
    say_all();
    return 1;
}

# Syncs what is to be synced, and answers for each: whatever is answered next comes behind it. The module takes as long to load
# as all else here together: who will sync asks for it when this is started.
sub settle {
    require IO::Handle if @unsynced;
    for my $file (splice @unsynced) {
        my ($out, $path) = @$file;
        my $wrong = $out->sync ? 0 : fault("sync");
        close $out or $wrong ||= fault("close");
        if ($wrong) { unlink $path } else { $answers .= "." }
        say_all() if time != $said;
    }
}

# One file. All of its bytes are taken, whatever becomes of it.
sub file {
    my ($mode, $time, $sync, $size, $length) = @_;
    more() while length $in < $length;
    my $path = substr $in, 0, $length, "";
    my $made = sysopen my $out, $path, $NEW, $mode eq "-" ? 0666 : oct $mode;
    my $wrong = $made ? 0 : fault("create");
    if ($made) {
        $partial = $path;
        # PERL_UNICODE and PERL5OPT can ask for another encoding of whatever is written.
        binmode $out;
    }
    for (my $left = $size; $left;) {
        my $here = $left < $CHUNK ? $left : $CHUNK;
        more() while length $in < $here;
        my $wrote = $wrong ? $here : syswrite $out, $in, $here;
        if (defined $wrote) { substr $in, 0, $wrote, ""; $left -= $wrote }
        else { $wrong = fault("write") }
    }
    more() while not length $in;
    substr($in, 0, 1, "") eq "k" or die "no end of a file where one belongs\n";
    if ($wrong) { }
    elsif ($mode ne "-" and not chmod oct $mode, $out) { $wrong = fault("set-mode") }
    elsif ($time ne "-" and not utime $time, $time, $out) { $wrong = fault("set-times") }
    undef $partial if not $wrong;
    if ($sync and not $wrong) {
        push @unsynced, [$out, $path];
        settle() if @unsynced >= $UNSYNCED;
        return;
    }
    settle();
    if ($made) {
        close $out or $wrong ||= fault("close");
        unlink $path if $wrong;
        undef $partial;
    }
    $answers .= "." unless $wrong;
}

sub names {
    my ($kind, $first, $second) = @_;
    settle();
    more() while length $in < $first + $second;
    my $old = substr $in, 0, $first, "";
    my $new = substr $in, 0, $second, "";
    if ($kind =~ s/^\+// and $refused) { $answers .= "!hold-back ECANCELED something before was refused\n"; return }
    my $done = $kind eq "R" ? rename $old, $new : $kind eq "L" ? link $old, $new : unlink $old;
    $answers .= $done ? "." : reason("change");
}

# A folder. Umask and default ACLs take part in its making; a bit that it got from its parent, for the group, stays.
sub folder {
    my ($mode, $length) = @_;
    settle();
    more() while length $in < $length;
    my $path = substr $in, 0, $length, "";
    if (not mkdir $path, oct $mode) { $answers .= reason("change"); return }
    my $has = (lstat $path)[2] || 0;
    my $right = ($has & 0777) == oct $mode || chmod $has & 07000 | oct $mode, $path;
    $answers .= $right ? "." : reason("set-mode");
    rmdir $path if not $right;
}

sub look {
    my ($length) = @_;
    settle();
    more() while length $in < $length;
    my @seen = lstat substr $in, 0, $length, "";
    $answers .= @seen ? "=$seen[2] $seen[7] $seen[9]\n" : reason("look-at");
}

sub request {
    my $end;
    more() while ($end = index $in, "\n") < 0;
    my $line = substr $in, 0, $end, "";
    substr $in, 0, 1, "";
    if ($line =~ /^F (-|[0-7]+) (-|-?[0-9]+) ([01]) ([0-9]+) ([0-9]+)\z/) { file($1, $2, $3, $4, $5) }
    elsif ($line =~ /^(\+?[RU]|L) ([0-9]+) ([0-9]+)\z/) { names($1, $2, $3) }
    elsif ($line =~ /^M ([0-7]+) ([0-9]+) 0\z/) { folder($1, $2) }
    elsif ($line =~ /^S ([0-9]+) 0\z/) { look($1) }
    elsif ($line eq "B 0 0") { settle(); $refused = 0; $answers .= "." }
    else { die "no request where one belongs\n" }
    say_all() if ++$unsaid >= $TOGETHER or time != $said;
}

$SIG{PIPE} = "IGNORE";
binmode STDIN;
binmode STDOUT;
if ($^O eq "linux") {
    fcntl $_, $PIPE_SIZE, $CHUNK for *STDIN, *STDOUT;
    # Linux gives an account 64 MiB of pipes. Who syncs, which is seen by the module that it asked for, runs several of these, and
    # waits for the disk instead.
    fcntl STDIN, $PIPE_SIZE, $ROOM if not $INC{"IO/Handle.pm"};
}
$answers = "slipway receiver 1\n";
eval { request() while 1 };
my $end = $@;
unlink $partial if defined $partial;
die $end unless $end eq "gone\n";
