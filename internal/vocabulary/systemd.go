package vocabulary

import (
	"slices"
	"strings"
)

// unitSettings are what a unit file of systemd 252 (Debian 12) may set, by section; "resources" and "processes" are those
// of several (systemd.resource-control(5), systemd.exec(5) and systemd.kill(5)). Old names that systemd still takes,
// with a warning, are left out.
var unitSettings = map[string][]string{
	"resources": words(`AllowedCPUs StartupAllowedCPUs AllowedMemoryNodes StartupAllowedMemoryNodes CPUAccounting CPUWeight
		StartupCPUWeight CPUQuota CPUQuotaPeriodSec MemoryAccounting MemoryMin DefaultMemoryMin DefaultMemoryLow
		MemoryLow MemoryHigh MemoryMax MemorySwapMax DeviceAllow DevicePolicy IOAccounting IOWeight
		StartupIOWeight IODeviceWeight IOReadBandwidthMax IOWriteBandwidthMax IOReadIOPSMax IOWriteIOPSMax
		IODeviceLatencyTargetSec TasksAccounting TasksMax Delegate DisableControllers IPAccounting IPAddressAllow
		IPAddressDeny IPIngressFilterPath IPEgressFilterPath ManagedOOMSwap ManagedOOMMemoryPressure
		ManagedOOMMemoryPressureLimit ManagedOOMPreference BPFProgram SocketBindAllow SocketBindDeny
		RestrictNetworkInterfaces`),
	"processes": words(`TimeoutSec WorkingDirectory RootDirectory RootImage RootImageOptions RootHash RootHashSignature RootVerity
		ExtensionDirectories ExtensionImages MountImages User Group SupplementaryGroups Nice OOMScoreAdjust
		CoredumpFilter IOSchedulingClass IOSchedulingPriority CPUSchedulingPolicy CPUSchedulingPriority
		CPUSchedulingResetOnFork CPUAffinity NUMAPolicy NUMAMask UMask Environment EnvironmentFile PassEnvironment
		UnsetEnvironment DynamicUser RemoveIPC StandardInput StandardOutput StandardError StandardInputText
		StandardInputData TTYPath TTYReset TTYVHangup TTYVTDisallocate TTYRows TTYColumns SyslogIdentifier
		SyslogFacility SyslogLevel SyslogLevelPrefix LogLevelMax LogRateLimitIntervalSec LogRateLimitBurst
		LogExtraFields SecureBits CapabilityBoundingSet AmbientCapabilities TimerSlackNSec NoNewPrivileges
		KeyringMode ProtectProc ProcSubset SystemCallFilter SystemCallArchitectures SystemCallErrorNumber
		SystemCallLog MemoryDenyWriteExecute RestrictNamespaces RestrictRealtime RestrictSUIDSGID
		RestrictAddressFamilies LockPersonality RestrictFileSystems LimitCPU LimitFSIZE LimitDATA LimitSTACK
		LimitCORE LimitRSS LimitNOFILE LimitAS LimitNPROC LimitMEMLOCK LimitLOCKS LimitSIGPENDING LimitMSGQUEUE
		LimitNICE LimitRTPRIO LimitRTTIME ReadWriteDirectories ReadOnlyDirectories InaccessibleDirectories
		ReadWritePaths ReadOnlyPaths InaccessiblePaths ExecPaths NoExecPaths ExecSearchPath BindPaths
		BindReadOnlyPaths TemporaryFileSystem PrivateTmp PrivateDevices ProtectKernelTunables ProtectKernelModules
		ProtectKernelLogs ProtectClock ProtectControlGroups NetworkNamespacePath IPCNamespacePath LogNamespace
		PrivateNetwork PrivateUsers PrivateMounts PrivateIPC ProtectSystem ProtectHome MountFlags MountAPIVFS
		Personality RuntimeDirectoryPreserve RuntimeDirectoryMode RuntimeDirectory StateDirectoryMode
		StateDirectory CacheDirectoryMode CacheDirectory LogsDirectoryMode LogsDirectory
		ConfigurationDirectoryMode ConfigurationDirectory SetCredential SetCredentialEncrypted LoadCredential
		LoadCredentialEncrypted TimeoutCleanSec PAMName IgnoreSIGPIPE UtmpIdentifier UtmpMode SELinuxContext
		AppArmorProfile SmackProcessLabel ProtectHostname Slice SendSIGKILL SendSIGHUP KillMode KillSignal
		RestartKillSignal FinalKillSignal WatchdogSignal`),
	"Unit": words(`Description Documentation SourcePath Requires Requisite Wants BindsTo Upholds Conflicts Before After
		OnSuccess OnFailure PropagatesReloadTo ReloadPropagatedFrom PropagatesStopTo StopPropagatedFrom PartOf
		JoinsNamespaceOf RequiresMountsFor StopWhenUnneeded RefuseManualStart RefuseManualStop AllowIsolate
		DefaultDependencies OnSuccessJobMode OnFailureJobMode IgnoreOnIsolate JobTimeoutSec JobRunningTimeoutSec
		JobTimeoutAction JobTimeoutRebootArgument StartLimitIntervalSec StartLimitBurst StartLimitAction
		FailureAction SuccessAction FailureActionExitStatus SuccessActionExitStatus RebootArgument
		ConditionPathExists ConditionPathExistsGlob ConditionPathIsDirectory ConditionPathIsSymbolicLink
		ConditionPathIsMountPoint ConditionPathIsReadWrite ConditionPathIsEncrypted ConditionDirectoryNotEmpty
		ConditionFileNotEmpty ConditionFileIsExecutable ConditionNeedsUpdate ConditionFirstBoot
		ConditionArchitecture ConditionFirmware ConditionVirtualization ConditionHost ConditionKernelCommandLine
		ConditionKernelVersion ConditionCredential ConditionSecurity ConditionCapability ConditionACPower
		ConditionMemory ConditionCPUFeature ConditionCPUs ConditionEnvironment ConditionUser ConditionGroup
		ConditionControlGroupController ConditionOSRelease ConditionMemoryPressure ConditionCPUPressure
		ConditionIOPressure AssertPathExists AssertPathExistsGlob AssertPathIsDirectory AssertPathIsSymbolicLink
		AssertPathIsMountPoint AssertPathIsReadWrite AssertPathIsEncrypted AssertDirectoryNotEmpty
		AssertFileNotEmpty AssertFileIsExecutable AssertNeedsUpdate AssertFirstBoot AssertArchitecture
		AssertVirtualization AssertHost AssertKernelCommandLine AssertKernelVersion AssertCredential
		AssertSecurity AssertCapability AssertACPower AssertMemory AssertCPUFeature AssertCPUs AssertEnvironment
		AssertUser AssertGroup AssertControlGroupController AssertOSRelease AssertMemoryPressure AssertCPUPressure
		AssertIOPressure CollectMode`),
	"Service": words(`PIDFile ExecCondition ExecStartPre ExecStart ExecStartPost ExecReload ExecStop ExecStopPost RestartSec
		TimeoutStartSec TimeoutStopSec TimeoutAbortSec TimeoutStartFailureMode TimeoutStopFailureMode
		RuntimeMaxSec RuntimeRandomizedExtraSec WatchdogSec StartLimitBurst StartLimitAction FailureAction
		RebootArgument Type ExitType Restart PermissionsStartOnly RootDirectoryStartOnly RemainAfterExit
		GuessMainPID RestartPreventExitStatus RestartForceExitStatus SuccessExitStatus NonBlocking BusName
		FileDescriptorStoreMax NotifyAccess Sockets USBFunctionDescriptors USBFunctionStrings OOMPolicy`),
	"Socket": words(`ListenStream ListenDatagram ListenSequentialPacket ListenFIFO ListenNetlink ListenSpecial ListenMessageQueue
		ListenUSBFunction SocketProtocol BindIPv6Only Backlog BindToDevice ExecStartPre ExecStartPost ExecStopPre
		ExecStopPost SocketUser SocketGroup SocketMode DirectoryMode Accept FlushPending Writable MaxConnections
		MaxConnectionsPerSource KeepAlive KeepAliveTimeSec KeepAliveIntervalSec KeepAliveProbes DeferAcceptSec
		NoDelay Priority ReceiveBuffer SendBuffer IPTOS IPTTL Mark PipeSize FreeBind Transparent Broadcast
		PassCredentials PassSecurity PassPacketInfo Timestamping TCPCongestion ReusePort MessageQueueMaxMessages
		MessageQueueMessageSize RemoveOnStop Symlinks FileDescriptorName Service TriggerLimitIntervalSec
		TriggerLimitBurst SmackLabel SmackLabelIPIn SmackLabelIPOut SELinuxContextFromNet`),
	"Mount": words(`What Where Options Type DirectoryMode SloppyOptions LazyUnmount ForceUnmount ReadWriteOnly`),
	"Timer": words(`OnCalendar OnActiveSec OnBootSec OnStartupSec OnUnitActiveSec OnUnitInactiveSec OnClockChange
		OnTimezoneChange Persistent WakeSystem RemainAfterElapse FixedRandomDelay AccuracySec RandomizedDelaySec
		Unit`),
	"Slice": words("Slice"),
	"Path": words(`PathExists PathExistsGlob PathChanged PathModified DirectoryNotEmpty Unit MakeDirectory DirectoryMode
		TriggerLimitIntervalSec TriggerLimitBurst`),
}

// newInSystemd257 are settings that Debian 13's systemd has and Debian 12's does not.
var newInSystemd257 = map[string][]string{
	"resources": words(`MemoryZSwapMax MemoryZSwapWriteback MemoryPressureWatch MemoryPressureThresholdSec DelegateSubgroup CoredumpReceive
		StartupMemoryLow StartupMemoryHigh StartupMemoryMax StartupMemorySwapMax StartupMemoryZSwapMax`),
	"processes": words(`ImportCredential RootEphemeral MemoryKSM PrivatePIDs RootImagePolicy MountImagePolicy ExtensionImagePolicy`),
	"Unit":      words(`WantsMountsFor SurviveFinalKillSignal`),
	"Service":   words(`OpenFile ReloadSignal RestartSteps RestartMaxDelaySec RestartMode FileDescriptorStorePreserve`),
	"Socket":    words(`PollLimitIntervalSec PollLimitBurst PassFileDescriptorsToExec`),
	"Timer":     words(`DeferReactivation`),
}

// unitLists are the settings that may stand several times and are joined, and that an empty value empties; of others the last
// counts. The dependencies of a unit are joined, too, and nothing empties them (systemd.unit(5)).
var unitLists = words(`Documentation Requires Requisite Wants BindsTo Upholds Conflicts Before After OnSuccess OnFailure
	PropagatesReloadTo ReloadPropagatedFrom PropagatesStopTo StopPropagatedFrom PartOf JoinsNamespaceOf
	RequiresMountsFor ExecCondition ExecStartPre ExecStart ExecStartPost ExecReload ExecStop ExecStopPre
	ExecStopPost RestartPreventExitStatus RestartForceExitStatus SuccessExitStatus Sockets Environment
	EnvironmentFile PassEnvironment UnsetEnvironment SupplementaryGroups CapabilityBoundingSet
	AmbientCapabilities SystemCallFilter SystemCallArchitectures SystemCallLog RestrictAddressFamilies
	RestrictNamespaces RestrictFileSystems SecureBits CPUAffinity LogExtraFields StandardInputText
	StandardInputData ReadWritePaths ReadOnlyPaths InaccessiblePaths ExecPaths NoExecPaths ExecSearchPath
	BindPaths BindReadOnlyPaths TemporaryFileSystem RootImageOptions ExtensionDirectories ExtensionImages
	MountImages RuntimeDirectory StateDirectory CacheDirectory LogsDirectory ConfigurationDirectory SetCredential
	SetCredentialEncrypted LoadCredential LoadCredentialEncrypted DeviceAllow IODeviceWeight IOReadBandwidthMax
	IOWriteBandwidthMax IOReadIOPSMax IOWriteIOPSMax IODeviceLatencyTargetSec IPAddressAllow IPAddressDeny
	IPIngressFilterPath IPEgressFilterPath BPFProgram SocketBindAllow SocketBindDeny RestrictNetworkInterfaces
	DisableControllers Delegate ListenStream ListenDatagram ListenSequentialPacket ListenFIFO ListenNetlink
	ListenSpecial ListenMessageQueue ListenUSBFunction Symlinks OnCalendar OnActiveSec OnBootSec OnStartupSec
	OnUnitActiveSec OnUnitInactiveSec PathExists PathExistsGlob PathChanged PathModified DirectoryNotEmpty`)

// UnitList tells whether a setting of a unit is a list, joined of all its lines.
func UnitList(key string) bool {
	return slices.Contains(unitLists, key) || strings.HasPrefix(key, "Condition") || strings.HasPrefix(key, "Assert")
}

// UnitSections are the sections that a unit's drop-in may have, by the unit's kind: what follows the last dot of its
// name. [Install] is not among them: in a drop-in it does nothing.
var UnitSections = map[string][]string{
	"service": {"Unit", "Service"},
	"slice":   {"Unit", "Slice"},
	"socket":  {"Unit", "Socket"},
	"timer":   {"Unit", "Timer"},
	"path":    {"Unit", "Path"},
	"mount":   {"Unit", "Mount"},
	"target":  {"Unit"},
}

// UnitSettings are what a section of a unit file may say under a Debian release, sorted.
func UnitSettings(section string, debian int) []string {
	groups := []string{section}
	switch section {
	case "Service", "Socket", "Mount":
		groups = append(groups, "processes", "resources")
	case "Slice":
		groups = append(groups, "resources")
	}
	var all []string
	for _, g := range groups {
		all = append(all, unitSettings[g]...)
		if debian >= 13 {
			all = append(all, newInSystemd257[g]...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
