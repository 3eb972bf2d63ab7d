package io.lockstep.core;

import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.simpleName;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.properties.HasName;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.VarHandle;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The arrows of the house. Each rule holds for the library, and fails for a class that was planted to break it. */
class ArchitectureTest {
    private static final String LIBRARY = "io.lockstep.core";
    private static final String FIXTURES = "io.lockstep.core.architecture.fixtures";

    private static final JavaClasses CORE = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(LIBRARY);
    private static final JavaClasses PLANTED = new ClassFileImporter().importPackages(FIXTURES);

    enum Rule {
        CORE_DEPENDS_ON_THE_JDK_ALONE("TestLibraryUser") {
            @Override
            ArchRule in(String root) {
                return classes()
                        .should()
                        .onlyDependOnClassesThat(resideInAnyPackage(
                                LIBRARY + "..", "java..", "jdk.incubator.vector..", "org.jspecify.."));
            }
        },
        ONLY_POSIX_CALLS_NATIVE_CODE("LinkerUser") {
            @Override
            ArchRule in(String root) {
                return noClasses()
                        .that()
                        .resideOutsideOfPackage(root + ".posix")
                        .should()
                        .dependOnClassesThat()
                        .belongToAnyOf(Linker.class, SymbolLookup.class);
            }
        },
        ONLY_POSIX_GIVES_SEGMENTS_ANOTHER_SIZE("Reinterpreter") {
            @Override
            ArchRule in(String root) {
                return noClasses()
                        .that()
                        .resideOutsideOfPackage(root + ".posix")
                        .should()
                        .accessTargetWhere(target(owner(simpleName("MemorySegment")))
                                .and(target(HasName.Predicates.name("reinterpret"))));
            }
        },
        ONLY_KERNELS_USES_VECTORS("VectorUser") {
            @Override
            ArchRule in(String root) {
                return noClasses()
                        .that()
                        .resideOutsideOfPackage(root + ".kernels")
                        .should()
                        .dependOnClassesThat()
                        .resideInAPackage("jdk.incubator.vector..");
            }
        },
        ONLY_THE_VERBS_ORDER_ACCESSES_IN_CPU("VarHandleUser") {
            @Override
            ArchRule in(String root) {
                return noClasses()
                        .that()
                        .resideInAPackage(root + ".cpu")
                        .and()
                        .doNotHaveSimpleName("SharedWords")
                        .should()
                        .dependOnClassesThat()
                        .belongToAnyOf(VarHandle.class);
            }
        },
        NOBODY_USES_UNSAFE("UnsafeUser") {
            @Override
            ArchRule in(String root) {
                return noClasses().should().dependOnClassesThat().haveNameMatching(".*\\.misc\\.Unsafe");
            }
        },
        KERNELS_KNOWS_NEITHER_CPU_NOR_GROUP("KernelThatKnowsTheCpu") {
            @Override
            ArchRule in(String root) {
                return noClasses()
                        .that()
                        .resideInAPackage(root + ".kernels")
                        .should()
                        .dependOnClassesThat(resideInAnyPackage(root + ".cpu", root + ".group"));
            }
        },
        GROUP_KNOWS_NEITHER_CPU_NOR_KERNELS("GroupThatKnowsTheKernels") {
            @Override
            ArchRule in(String root) {
                return noClasses()
                        .that()
                        .resideInAPackage(root + ".group")
                        .should()
                        .dependOnClassesThat(resideInAnyPackage(root + ".cpu", root + ".kernels"));
            }
        },
        POSIX_KNOWS_NEITHER_CPU_NOR_KERNELS("PosixThatKnowsTheCpu") {
            @Override
            ArchRule in(String root) {
                return noClasses()
                        .that()
                        .resideInAPackage(root + ".posix")
                        .should()
                        .dependOnClassesThat(resideInAnyPackage(root + ".cpu", root + ".kernels"));
            }
        },
        CORE_PRINTS_NOTHING("Printer") {
            @Override
            ArchRule in(String root) {
                return noClasses()
                        .that(resideInAPackage(root + ".."))
                        .should()
                        .accessField(System.class, "out")
                        .orShould()
                        .accessField(System.class, "err");
            }
        };

        private final String planted;

        Rule(String planted) {
            this.planted = planted;
        }

        abstract ArchRule in(String root);
    }

    @ParameterizedTest
    @EnumSource
    void theLibraryKeepsTheRule(Rule rule) {
        rule.in(LIBRARY).allowEmptyShould(false).check(CORE);
    }

    @ParameterizedTest
    @EnumSource
    void theRuleSeesTheClassThatBreaksIt(Rule rule) {
        Stream<String> broken = rule.in(FIXTURES).evaluate(PLANTED).getFailureReport().getDetails().stream();
        assertThat(broken).isNotEmpty().allSatisfy(line -> assertThat(line).contains(rule.planted));
    }
}
